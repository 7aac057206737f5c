"""`python -m thanopg.catalog draw|judge|train|train-captions|evaluate|evaluate-captions`: a catalogue and its model."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from thanopg.catalog.catalogue import write_catalogue
from thanopg.errors import ThanopgError

WORK = Path(".training")
MODEL = Path(__file__).parent / "model"

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

Work = Annotated[Path, typer.Option(help="Where drawings and the checkpoint are kept between runs.")]
Processes = Annotated[int, typer.Option(min=1, help="Processes that draw.")]


@app.command()
def draw(
    directory: Annotated[Path, typer.Argument(help="Where pictures/ and products.csv go.")],
    count: Annotated[int, typer.Option(min=1, help="How many products.")] = 1000,
    seed: Annotated[int, typer.Option(help="The same seed draws the same pictures.")] = 7,
    processes: Processes = 2,
) -> None:
    """Write a catalogue of drawn products.

    Example: python -m thanopg.catalog draw /tmp/shop --count 200
    """

    def tell(done: int) -> None:
        if done % 100 == 0 or done == count:
            print(f"{done}/{count}", file=sys.stderr)

    write_catalogue(directory, count, seed, processes=processes, progress=tell)
    print(directory / "products.csv")


@app.command()
def train(
    output: Annotated[Path, typer.Option(help="Where the model goes, in open_clip's local-dir format.")] = MODEL,
    work: Work = WORK,
    pairs: Annotated[
        Path | None, typer.Option(help="A csv of pictures and texts to learn from, not the drawn catalogue.")
    ] = None,
    image_column: Annotated[str, typer.Option(help="The csv's column of paths, relative to it.")] = "image_path",
    text_column: Annotated[
        list[str] | None, typer.Option(help="The csv's column of texts; may be given more than once.")
    ] = None,
    pictures: Annotated[int, typer.Option(min=1, help="Drawings to learn from.")] = 24_000,
    side: Annotated[int, typer.Option(min=32, help="Pixels a side at the model's input.")] = 64,
    epochs: Annotated[int, typer.Option(min=1)] = 11,
    batch: Annotated[int, typer.Option(min=2)] = 256,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 1.5e-3,
    minutes: Annotated[float, typer.Option(help="Training time to plan for; the epochs may end it sooner.")] = 1e9,
    patience: Annotated[int, typer.Option(min=1, help="Epochs without progress before it stops.")] = 8,
    seed: Annotated[int, typer.Option()] = 0,
    device: Annotated[str | None, typer.Option(help="cuda, mps or cpu; chosen if not given.")] = None,
    threads: Annotated[
        int, typer.Option(min=0, help="CPU threads; 0 leaves it to torch. On a busy machine 1 is the fastest.")
    ] = 0,
    processes: Processes = 2,
) -> None:
    """Train a model from nothing; started again after a kill it goes on from the last whole epoch.

    Example: python -m thanopg.catalog train --output /tmp/model --epochs 12
    """
    import torch

    from thanopg.catalog.training import run
    from thanopg.catalog.training.data import read_pairs
    from thanopg.catalog.training.train import Plan
    from thanopg.models.device import choose_device

    if threads:
        torch.set_num_threads(threads)
    plan = Plan(epochs=epochs, batch=batch, rate=rate, minutes=minutes, patience=patience, seed=seed)
    place = choose_device(device)
    if pairs is None:
        score = run.train_catalogue(
            output, work, pictures=pictures, side=side, plan=plan, device=place, processes=processes
        )
    else:
        columns = text_column or ["caption_ko", "caption_en"]
        dataset = read_pairs(pairs, image_column=image_column, text_columns=columns, side=side)
        texts = [text for several in dataset.texts for text in several]
        score = run.train_pairs(dataset, texts, output, work, plan=plan, device=place)
    print(f"{score:.4f}")


@app.command()
def evaluate(
    source: Annotated[str, typer.Argument(help="A model: bundled:catalog, local-dir:…")] = "bundled:catalog",
    work: Work = WORK,
    pictures: Annotated[int, typer.Option(min=100, help="Unseen pictures.")] = 2000,
    wordings: Annotated[int, typer.Option(min=1, help="Unseen wordings in each language.")] = 200,
    random_weights: Annotated[
        bool, typer.Option("--random-weights", help="Measure a model that has learned nothing: the level of chance.")
    ] = False,
    processes: Processes = 2,
) -> None:
    """Print as JSON how well texts find unseen pictures.

    Example: python -m thanopg.catalog evaluate --random-weights
    """
    from thanopg.catalog.training.run import evaluate_source

    report = evaluate_source(
        source, work, pictures=pictures, wordings=wordings, processes=processes, random_weights=random_weights
    )
    print(json.dumps(report.as_json(), indent=2, ensure_ascii=False))


@app.command()
def train_captions(
    model: Annotated[Path, typer.Option(help="A trained model's directory; the captioner goes into it.")] = MODEL,
    work: Work = WORK,
    pictures: Annotated[int, typer.Option(min=1, help="Drawings to learn from.")] = 24_000,
    variants: Annotated[int, typer.Option(min=1, help="Times each is looked at, moved and changed a little.")] = 1,
    epochs: Annotated[int, typer.Option(min=1)] = 6,
    batch: Annotated[int, typer.Option(min=2)] = 64,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 1.2e-3,
    minutes: Annotated[float, typer.Option(help="Training time to plan for; the epochs may end it sooner.")] = 1e9,
    patience: Annotated[int, typer.Option(min=1, help="Epochs without progress before it stops.")] = 6,
    seed: Annotated[int, typer.Option()] = 0,
    device: Annotated[str | None, typer.Option(help="cuda, mps or cpu; chosen if not given.")] = None,
    threads: Annotated[
        int, typer.Option(min=0, help="CPU threads; 0 leaves it to torch. On a busy machine 1 is the fastest.")
    ] = 0,
    processes: Processes = 2,
) -> None:
    """Train a captioner on a model's image tower, which stays as it is; a killed run is gone on with.

    Example: python -m thanopg.catalog train-captions --model /tmp/model
    """
    import torch

    from thanopg.catalog.training import caption_run
    from thanopg.catalog.training.captions import CaptionPlan
    from thanopg.models.device import choose_device

    if threads:
        torch.set_num_threads(threads)
    plan = CaptionPlan(epochs=epochs, batch=batch, rate=rate, minutes=minutes, patience=patience, seed=seed)
    place = choose_device(device)
    score = caption_run.train_captions(
        model, work, pictures=pictures, variants=variants, plan=plan, device=place, processes=processes
    )
    print(f"{score:.4f}")


@app.command()
def evaluate_captions(
    source: Annotated[str, typer.Argument(help="A model: bundled:catalog, local-dir:…")] = "bundled:catalog",
    work: Work = WORK,
    pictures: Annotated[int, typer.Option(min=100, help="Unseen pictures.")] = 2000,
    random_weights: Annotated[
        bool,
        typer.Option("--random-weights", help="Measure a captioner that has learned nothing: the level of chance."),
    ] = False,
    processes: Processes = 2,
) -> None:
    """Print as JSON how many captions of unseen pictures name the right category and colour.

    Example: python -m thanopg.catalog evaluate-captions --random-weights
    """
    from thanopg.catalog.training.caption_run import evaluate_captions

    report = evaluate_captions(source, work, pictures=pictures, processes=processes, random_weights=random_weights)
    print(json.dumps(report.as_json(), indent=2, ensure_ascii=False))


@app.command()
def judge(
    directory: Annotated[Path, typer.Argument(help="Where draw has put products.csv.")],
    count: Annotated[int, typer.Option(min=2, help="How many queries, half of them Korean.")] = 400,
    seed: Annotated[int, typer.Option(help="The same seed asks the same.")] = 5,
) -> None:
    """Write queries with every product that answers them, for thanopg evaluate.

    Example: python -m thanopg.catalog judge /tmp/shop
    """
    from thanopg.catalog.catalogue import CSV_NAME, read_csv
    from thanopg.catalog.judged import JUDGED_NAME, judged_queries, write_judged

    write_judged(directory / JUDGED_NAME, judged_queries(read_csv(directory / CSV_NAME), count, seed))
    print(directory / JUDGED_NAME)


def main() -> None:
    try:
        app()
    except ThanopgError as error:
        sys.exit(f"{error.message}\n{error.hint}".strip())


if __name__ == "__main__":
    main()
