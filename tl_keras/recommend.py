"""Ranks backbones on your own data, without training them: `python -m tl_keras.recommend --data.path X`."""

from tl_keras.cli.early_interrupts import end_silently

if __name__ == "__main__":
    end_silently()


from tl_keras.cli.verbs import OneSentenceParser, run_verb
from tl_keras.config.parsing import check_flags, parse
from tl_keras.config.shorthand import expand_shorthand
from tl_keras.errors import InputError
from tl_keras.runs.opening import new_folder
from tl_keras.runs.result_folders import data_origin, open_output_folder
from tl_keras.runs.run_folder import folder_name
from tl_keras.system.devices import load_tensorflow
from tl_keras.tasks.registry import TASKS


def main(arguments):
    """Runs the verb.

    Args:
        arguments: list of strings of a command line.
    """
    parser = OneSentenceParser(
        prog="python -m tl_keras.recommend",
        description="Ranks backbones by heads on their frozen features, on held-out examples. All flags of training, "
        "such as --data.path, --task and --seed, say what they are compared on.",
    )
    parser.add_argument("--backbones", metavar="A,B,C", help="backbones to rank (default: those whose weights pip has)")
    parser.add_argument("--verify", metavar="N", type=int, default=0, help="fine-tune the N best and compare the order")
    parser.add_argument("--output", metavar="FOLDER", help="folder of the results (default: a new one in runs)")
    parser.usage = f"{parser.prog} [PATH] [FLAGS]"
    options, rest = parser.parse_known_args(arguments)
    check_flags(expand_shorthand(rest), parser.flags)
    config = parse(rest)
    if options.verify < 0:
        raise InputError(f"--verify must be at least 0: got {options.verify}.")
    backbones = [part.strip() for part in (options.backbones or "").split(",") if part.strip()]
    # Imported here, so that --help and a mistyped flag answer at once.
    from tl_keras.studies.candidate_backbones import find_candidates
    from tl_keras.studies.result_tables import RECOMMENDATION

    names = backbones or TASKS[config.task].installed_backbones(config)
    candidates = find_candidates(config, names)
    output = options.output or new_folder(f"{folder_name(config.data.path)}-recommendation")
    with open_output_folder(output, data_origin("recommend", config.data.path), RECOMMENDATION) as folder:
        load_tensorflow()
        from tl_keras.studies.recommendation import recommend
        from tl_keras.studies.recommendation_files import summary_lines, write_recommendation

        recommendation = recommend(candidates, options.verify, folder)
        paths = write_recommendation(recommendation, config, folder)
    print("", *summary_lines(recommendation), "", *(f"  {path}" for path in paths), sep="\n")
    print(f"next: python -m tl_keras.train --config {folder / 'train.yaml'}")


if __name__ == "__main__":
    run_verb(main)
