from tl_keras.config.parser import make_parser


def test_the_help_describes_the_flags_of_the_configuration_and_of_the_actions():
    text = make_parser({"--print_phases": "Print the phases."}).format_help()
    assert "--data.batch_size" in text and "Print the phases." in text
    assert "image_classification, sentiment" in " ".join(text.split())
