"""Lets a torchvision that was built for CUDA be imported beside a torch that was not.

Its compiled half does not load there, so `import torchvision` ends in "operator torchvision::nms does not
exist". The import asks for two operator schemas only; the transforms are plain torch. `nms` itself stays
unusable. Read at every start of the interpreter through a .pth file, so it imports nothing by itself.
"""

import sys

KEPT = []
"""The library that holds the schemas: they go when it does."""


class Finder:
    """Stands in front of the import of `torchvision.extension`, the first module torchvision imports."""

    def find_spec(self, name, path=None, target=None):
        """Define what is missing, then let the import go its way."""
        if name == "torchvision.extension":
            sys.meta_path.remove(self)
            import torch

            if torch.version.cuda is None and not hasattr(torch.ops.torchvision, "nms"):
                library = torch.library.Library("torchvision", "DEF")
                library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
                library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
                KEPT.append(library)


sys.meta_path.insert(0, Finder())
