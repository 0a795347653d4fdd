"""Checks labels, `python -m tl_keras.label check DATA`, and chooses what to label, `label next DATA --pool POOL`."""

from tl_keras.cli.early_interrupts import end_silently

if __name__ == "__main__":
    end_silently()


from pathlib import Path

from tl_keras.cli.label_data import check_next_settings, find_run, names_data, parse_data
from tl_keras.cli.verbs import OneSentenceParser, run_verb
from tl_keras.config.parsing import check_flags
from tl_keras.config.shorthand import expand_shorthand
from tl_keras.errors import InputError, counted, unknown_name
from tl_keras.runs.opening import new_folder
from tl_keras.runs.result_folders import data_origin, open_output_folder
from tl_keras.runs.run_folder import folder_name
from tl_keras.studies import result_tables
from tl_keras.system.devices import load_tensorflow

QUESTIONS, BOXES = ("check", "next"), "object_detection"
DESCRIPTION = """check: lists labels that are probably wrong, by heads on frozen features that have not learned from the
example; for the run of a detector, images whose boxes and detections disagree. next: ranks unlabelled examples of
a pool: without labelled data typical ones of clusters, with them diverse ones that a head is uncertain about, without
near-duplicates. All flags of training, such as --task and --seed, are accepted. No image is changed or copied."""


def main(arguments):
    """Runs the verb.

    Args:
        arguments: list of strings of a command line.
    """
    parser = _make_parser()
    options, rest = parser.parse_known_args(arguments)
    if options.question not in QUESTIONS:
        raise unknown_name("subcommand", options.question, QUESTIONS)
    check_flags(expand_shorthand(rest), parser.flags)
    if options.question == "next":
        _choose_next(options, rest)
    else:
        _check(options, rest)


def _make_parser():
    parser = OneSentenceParser(prog="python -m tl_keras.label", description=DESCRIPTION)
    parser.usage = f"{parser.prog} check|next [RUN_OR_DATA] [FLAGS]"
    parser.add_argument("question", metavar="check|next", help="what to do")
    parser.add_argument("--output", metavar="FOLDER", help="folder of the results (default: a new one in runs)")
    parser.add_argument("--pool", metavar="PATH", help="next: unlabelled examples, a folder or a table")
    parser.add_argument("--count", type=int, default=50, help="next: number of examples to choose (default: 50)")
    parser.add_argument(
        "--labelled",
        metavar="FILE",
        action="append",
        default=[],
        help="next: labels of earlier rounds, as next.csv with filled labels or an export of Label Studio; may be "
        "repeated. They are merged with the data into --training_table",
    )
    parser.add_argument(
        "--apply",
        metavar="FILE",
        help="check: label_check.csv with its column decision filled, by a class or drop; writes a copy of the "
        "corrected data to --training_table",
    )
    parser.add_argument(
        "--training_table", metavar="FILE", help="the table to write (default: training.jsonl above all images)"
    )
    parser.add_argument("--new_classes", action="store_true", help="next: --labelled may have classes the data lack")
    return parser


def _check(options, rest):
    if options.pool or options.labelled or (options.training_table and not options.apply):
        raise InputError("--pool, --labelled and --training_table are for `label next`: leave them out.")
    run = find_run(rest)
    if run is not None and run.config.task == BOXES:
        _check_boxes(options, run)
        return
    config = parse_data(rest)
    output = options.output or new_folder(f"{folder_name(config.data.path)}-labels")
    names = [] if options.apply else result_tables.LABEL_CHECK
    if not options.apply:
        _refuse_filled(output, result_tables.LABEL_CHECK[:1], result_tables.DECISION, "--apply")
    with open_output_folder(output, data_origin("label check", config.data.path), names) as folder:
        if options.apply:
            _apply(options, config, folder)
        else:
            _list_suspicious(config, folder)


def _refuse_filled(output, names, column, flag):
    for name in names:
        result_tables.refuse_filled(Path(output) / name, column, f"give it as {flag}")


def _apply(options, config, folder):
    from tl_keras.studies.corrections import write_corrected
    from tl_keras.studies.training_table import train_command

    path, changed, dropped = write_corrected(options.apply, config, options.training_table, folder)
    print(
        f"{counted(changed, 'label was', 'labels were')} changed and {counted(dropped, 'example')} left out in the "
        f"copy {path}\nnext: {train_command(config, path)}"
    )


def _list_suspicious(config, folder):
    # Loaded here, so that --help and a mistyped flag do not wait for TensorFlow.
    load_tensorflow()
    from tl_keras.studies.label_check import check_labels
    from tl_keras.studies.label_check_files import summary_lines, write_label_check

    check = check_labels(config)
    paths = write_label_check(check, config, folder)
    print("\n".join([*summary_lines(check), *(f"  {path}" for path in paths)]))


def _check_boxes(options, run):
    if options.apply:
        raise InputError("--apply is for classes: correct the boxes of the images in the files of the data.")
    load_tensorflow()
    from tl_keras.studies.box_check import check_boxes, summary_lines, write_box_check

    output = options.output or new_folder(f"{folder_name(str(run.folder))}-boxes")
    with open_output_folder(output, data_origin("label check", run.folder), result_tables.BOX_CHECK) as folder:
        check = check_boxes(run)
        paths = write_box_check(check, run.class_names, folder)
    print("\n".join([*summary_lines(check), *(f"  {path}" for path in paths)]))


def _choose_next(options, rest):
    if options.apply:
        raise InputError("--apply is for `label check`: leave it out.")
    if not options.pool:
        raise InputError("label next needs unlabelled examples: give --pool a folder or a table.")
    if options.count < 1:
        raise InputError(f"--count is {options.count}: expected 1 or more.")
    config, has_labels = parse_data(rest), names_data(rest)
    check_next_settings(config)
    output = options.output or new_folder(f"{folder_name(options.pool)}-next")
    _refuse_filled(output, result_tables.NEXT_LABELS[:2], config.data.label_column, "--labelled")
    with open_output_folder(output, data_origin("label next", options.pool), result_tables.NEXT_LABELS) as folder:
        if options.labelled:
            from tl_keras.studies.training_table import merge_labelled, train_command

            config = merge_labelled(options, config, has_labels, folder)
            command = train_command(config, config.data.path)
            print(f"labelled: merged into {config.data.path}; `{command}` trains on it", flush=True)
        from tl_keras.studies.pools import find_pool

        pool = find_pool(config, options.pool, options.count)
        # Loaded here, so that a mistyped flag and a pool that is too small do not wait for TensorFlow.
        load_tensorflow()
        from tl_keras.studies.next_labels import choose_next
        from tl_keras.studies.next_labels_files import summary_lines, write_next_labels

        chosen = choose_next(config, pool, options.count, has_labels or bool(options.labelled))
        paths = write_next_labels(chosen, config, folder)
    print("\n".join([*summary_lines(chosen), *(f"  {path}" for path in paths)]))


if __name__ == "__main__":
    run_verb(main)
