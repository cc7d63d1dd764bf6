"""Miniature data sets in the layouts in which the real ones are distributed. No row is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image


def picture(path: Path) -> None:
    """A small grey picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), 90).save(path)


def text(path: Path, lines: Sequence[str]) -> None:
    """A text file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def affectnet_csv(root: Path) -> None:
    rows = [("a/1.jpg", 1, 0.8, 0.1), ("a/2.jpg", 7, -0.4, 0.3), ("b/3.jpg", 10, -2, -2),
            ("b/4.jpg", 0, 0.0, -0.1)]  # fmt: skip
    head = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
    text(
        root / "Manually_Annotated_file_lists" / "validation.csv",
        [head, *(f"{n},1,2,30,40,1.5;2.5,{e},{v},{a}" for n, e, v, a in rows)],
    )
    for name, *_ in rows:
        picture(root / "Manually_Annotated_Images" / name)


def affectnet_npy(root: Path) -> None:
    """Labels as text arrays, valence as numbers, as the releases mix them."""
    for number, code in ((0, "6"), (7, "2"), (10, "5")):
        picture(root / "val_set" / "images" / f"{number}.jpg")
        folder = root / "val_set" / "annotations"
        folder.mkdir(exist_ok=True)
        np.save(folder / f"{number}_exp.npy", np.array(code))
        np.save(folder / f"{number}_val.npy", np.array(-0.5))
        np.save(folder / f"{number}_aro.npy", np.array("0.25"))
        np.save(folder / f"{number}_lnd.npy", np.zeros(136))


def raf_db(root: Path) -> None:
    text(
        root / "basic" / "EmoLabel" / "list_patition_label.txt",
        ["train_00001.jpg 5", "test_0001.jpg 4", "test_0002.jpg 2", "test_0003.jpg 7"],
    )
    for name in ("test_0001", "test_0002"):
        picture(root / "basic" / "Image" / "aligned" / f"{name}_aligned.jpg")
    landmarks = [f"{i}.5 {i}.25" for i in range(5)]
    text(
        root / "basic" / "Annotation" / "manual" / "test_0001_manu_attri.txt",
        [*landmarks, "1", "2", "3"],
    )
    text(
        root / "compound" / "EmoLabel" / "list_patition_label.txt",
        ["train_0001.jpg 1", "test_0001.jpg 4", "test_0002.jpg 11"],
    )


def fer2013(root: Path) -> None:
    grey = " ".join(["7"] * 2304)
    text(
        root / "fer2013.csv",
        ["emotion,pixels,Usage", f"0,{grey},Training", f"3,{grey},PrivateTest",
         f"6,{grey},PrivateTest", "4,1 2 3,PrivateTest"],
    )  # fmt: skip


def ferplus(root: Path) -> None:
    head = (
        "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    )
    text(
        root / "fer2013new.csv",
        [head,
         "Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0",
         "PrivateTest,fer0000001.png,0,9,1,0,0,0,0,0,0,0",
         "PrivateTest,,0,0,0,0,0,0,0,0,0,10",
         "PrivateTest,fer0000003.png,5,5,0,0,0,0,0,0,0,0"],
    )  # fmt: skip


def sfew(root: Path) -> None:
    for folder, name in (("Angry", "a_1.png"), ("Happy", "b_2.png"), ("Odd", "c.png")):
        picture(root / "Val" / folder / name)


def ck_plus(root: Path) -> None:
    for subject, sequence, frames in (("S005", "001", 3), ("S010", "002", 2)):
        for number in range(1, frames + 1):
            name = f"{subject}_{sequence}_{number:08d}.png"
            picture(root / "cohn-kanade-images" / subject / sequence / name)
    stem = "S005_001_00000003"
    text(root / "Emotion" / "S005" / "001" / f"{stem}_emotion.txt", ["   3.0000000e+00"])
    text(
        root / "FACS" / "S005" / "001" / f"{stem}_facs.txt",
        ["   9.0000000e+00   3.0000000e+00", "   1.7000000e+01   0.0000000e+00"],
    )


def dfew(root: Path) -> None:
    folder = root / "EmoLabel_DataSplit" / "test(single-labeled)"
    for fold in range(1, 6):
        text(folder / f"set_{fold}.csv", ["video_name,label", f"{fold},{fold}", f"{fold + 10},0"])
        for frame in (1, 2, 10):
            picture(root / "Clip" / "clip_224x224" / f"{fold:05d}" / f"{frame}.jpg")
    text(
        root / "Annotation" / "annotation.csv",
        ["order,1happy,2sad,3neutral,4angry,5surprise,6disgust,7fear,label",
         "1,8,0,2,0,0,0,0,1", "2,1,7,2,0,0,0,0,2"],
    )  # fmt: skip


def ferv39k(root: Path) -> None:
    text(
        root / "4_setups" / "All_scenes" / "test_All.csv",
        ["Action/Sad/0010 Sad", "Crime/Angry/0002 Angry"],
    )
    picture(root / "2_ClipsforFaceCrop" / "Action" / "Sad" / "0010" / "1.jpg")


def mafw(root: Path) -> None:
    text(root / "Labels" / "single-set.csv", ["clip,label", "00001.mp4,9", "00002.mp4,contempt"])


def aff_wild2(root: Path) -> None:
    expr = "Neutral,Anger,Disgust,Fear,Happiness,Sadness,Surprise,Other"
    text(root / "EXPR" / "video1.txt", [expr, "0", "4", "-1", "7"])
    text(root / "VA" / "video1.txt", ["valence,arousal", "0.5,-0.25", "-5,-5"])
    units = "AU1,AU2,AU4,AU6,AU7,AU10,AU12,AU15,AU23,AU24,AU25,AU26"
    text(root / "AU" / "video1.txt", [units, "1,0,0,0,0,0,1,0,0,0,0,0", "-1" + ",-1" * 11])


def disfa(root: Path) -> None:
    for unit in (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26):
        high = 3 if unit in (6, 12) else 1
        text(
            root / "ActionUnit_Labels" / "SN001" / f"SN001_au{unit}.txt",
            ["1,0", f"2,{high}", *(["3,0"] if unit != 26 else [])],
        )


def utkface(root: Path) -> None:
    for name in ("25_1_2_20170116174525125.jpg.chip.jpg", "61_0_20170109142408075.jpg"):
        picture(root / name)
