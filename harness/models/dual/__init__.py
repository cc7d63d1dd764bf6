"""Dual encoders (CLIP, SigLIP): a picture is compared with one or more texts for each label."""
