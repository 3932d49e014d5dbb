"""Makes docs/students.gif, the moving picture of README.md: python scripts/readme_gif.py

Students of few and of more labels, for BipedalWalker and for Mario: four runs, one GIF (below
3 MB). Existing runs are not repeated.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageSequence

import dagger_cli

ROOT = Path(__file__).resolve().parents[1]
RUNS = ROOT / "outputs" / "readme_gif"
OUT = ROOT / "docs" / "students.gif"
FRAMES, MS = 70, 100  # of the whole picture; milliseconds a frame
SIZE = (280, 186)
WALKER = ["experiment=original_walker", "expert=bundled"]
SMALL = ["n_envs=50", "validation.episodes=50", "evaluation.episodes=50", "policy.final_fit=1"]
FIT = ["policy.gradient_steps=200"]
MARIO = ["env=mario", "experiment=mario_best", *SMALL, *FIT]
CELLS = {  # caption: words of its run
    "BipedalWalker, after 2,000 labels": [*WALKER, "rounds=1", "labels=2000"],
    "after 10,000 labels": [*WALKER, "rounds=5", "labels=10000"],
    "Mario, after 2,000 labels": [*MARIO, "rounds=1", "labels=2000"],
    "after 100,000 labels": [*MARIO, "rounds=5", "labels=100000"],
}


def clip(number: int, words: list[str]) -> list[Image.Image]:
    """Trains the student of a cell; returns the frames of its GIF."""
    folder = RUNS / str(number)
    if not (folder / "student.gif").exists():
        dagger_cli.train([*words, "logger=jsonl", f"hydra.run.dir={folder}"])
    gif = Image.open(folder / "student.gif")
    return [frame.convert("RGB").resize(SIZE) for frame in ImageSequence.Iterator(gif)]


def picture(clips: list[list[Image.Image]], captions: list[str], at: int) -> Image.Image:
    """Returns a frame: the cells, each with its caption; ended clips stand still."""
    width, height = SIZE
    bar = 20
    shown = Image.new("RGB", (2 * width + 6, 2 * (height + bar) + 6), "white")
    draw, font = ImageDraw.Draw(shown), ImageFont.load_default(13)
    for number, (frames, caption) in enumerate(zip(clips, captions, strict=True)):
        left, top = (width + 6) * (number % 2), (height + bar + 6) * (number // 2)
        draw.text((left + 4, top + 2), caption, fill="black", font=font)
        shown.paste(frames[min(at, len(frames) - 1)], (left, top + bar))
    return shown.quantize(64, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def main() -> None:
    clips = [clip(number, words) for number, words in enumerate(CELLS.values())]
    first, *others = [picture(clips, [*CELLS], at) for at in range(FRAMES)]
    first.save(OUT, "GIF", save_all=True, append_images=others, duration=MS, loop=0)
    print(f"{OUT.relative_to(ROOT)}: {OUT.stat().st_size / 1e6:.1f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()
