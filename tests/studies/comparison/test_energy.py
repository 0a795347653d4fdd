from tl_keras.studies.comparison.energy import EnergyMeter


def write_counter(folder, name, value, size=1_000_000):
    (folder / name).mkdir(exist_ok=True)
    (folder / name / "energy_uj").write_text(f"{value}\n")
    (folder / name / "max_energy_range_uj").write_text(f"{size}\n")


def test_packages_are_added_and_their_parts_are_not(tmp_path):
    for name in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0"):
        write_counter(tmp_path, name, 100)
    meter = EnergyMeter(tmp_path)
    for name in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0"):
        write_counter(tmp_path, name, 500_100)
    assert meter.joules() == 1.0


def test_a_counter_that_starts_again_is_followed(tmp_path):
    write_counter(tmp_path, "intel-rapl:0", 900_000)
    meter = EnergyMeter(tmp_path)
    write_counter(tmp_path, "intel-rapl:0", 400_000)
    assert meter.joules() == 0.5


def test_without_readable_counters_there_is_no_energy(tmp_path):
    assert EnergyMeter(tmp_path).joules() is None
    (tmp_path / "intel-rapl:0").mkdir()
    assert EnergyMeter(tmp_path).joules() is None
