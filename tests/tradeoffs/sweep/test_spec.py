from __future__ import annotations

from pathlib import Path

import pytest

from tfkit._errors import InputError
from tfkit.tradeoffs.sweep import SpecError, read_spec
from tfkit.tradeoffs.sweep.compression import Compression
from tfkit.tradeoffs.sweep.reader import Reader
from tfkit.tradeoffs.sweep.spec import DeviceSettings, ModelSettings, Spec, parse_spec

SMALLEST = """[data]
name = "digits"

[[model]]
name = "small_cnn"
"""


def spec_of(text: str) -> Spec:
    return parse_spec(Reader(text, "study.toml"))


def test_the_smallest_spec() -> None:
    spec = spec_of(SMALLEST)
    assert spec.data == "digits"
    assert spec.models == (ModelSettings("small_cnn"),)
    assert [compression.series for compression in spec.compressions] == ["float32"]
    assert spec.training.seeds == (0,)
    assert spec.devices == (DeviceSettings("local", 1, "standard"),)


def test_lists_are_grids() -> None:
    spec = spec_of(
        """
        data = { name = "digits" }
        [[model]]
        name = "wrn_D_K"
        D = [10, 16]
        K = [1, 2]
        [[model]]
        name = ["small_cnn", "wrn_16_2"]
        width = [0.5, 1]
        [[compression]]
        int8 = ["ptq", "qat"]
        [[compression]]
        prune = ["psp", "thinet"]
        rate = [0.25, 0.5]
        int8 = "qat"
        [[compression]]
        prune = "n_of_m"
        pattern = ["2:4", "1:4"]
        [training]
        seeds = [3, 4, 5]
        [[device]]
        name = ["local", "qemu:cortex-a53"]
        threads = [1, 2]
        """
    )
    assert [(model.name, model.width) for model in spec.models] == [
        ("wrn_10_1", None), ("wrn_10_2", None), ("wrn_16_1", None), ("wrn_16_2", None),
        ("small_cnn", 0.5), ("small_cnn", 1), ("wrn_16_2", 0.5), ("wrn_16_2", 1),
    ]  # fmt: skip
    assert [compression.series for compression in spec.compressions] == [
        "int8 PTQ", "int8 QAT",
        "psp channel 0.25 + int8 QAT", "psp channel 0.5 + int8 QAT",
        "thinet channel 0.25 + int8 QAT", "thinet channel 0.5 + int8 QAT",
        "n_of_m 2:4", "n_of_m 1:4",
    ]  # fmt: skip
    assert spec.training.seeds == (3, 4, 5)
    labels = ["local", "local threads=2", "qemu:cortex-a53", "qemu:cortex-a53 threads=2"]
    assert [device.label for device in spec.devices] == labels


def test_what_is_written_twice_is_there_once() -> None:
    spec = spec_of(SMALLEST + '[[compression]]\nformat = "float32"\n' * 2)
    assert len(spec.compressions) == 1


def test_fine_tuning_takes_a_third_of_training() -> None:
    assert spec_of(SMALLEST).training.epochs_of_tuning == 5
    assert spec_of(SMALLEST + "[training]\nepochs = 30").training.epochs_of_tuning == 10
    assert spec_of(SMALLEST + "[training]\nepochs = 2").training.epochs_of_tuning == 3
    assert spec_of(SMALLEST + "[training]\nepochs = 2\ntuning_epochs = 1").training.epochs_of_tuning == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[data", r"study\.toml is no TOML: .*at end of document"),
        ("[data]\nname = 'digits'\n", r"line 1: the table model is missing; write \[\[model\]\] with name"),
        (SMALLEST + "[modle]\n", r"line 6: there is no table 'modle' \(did you mean 'model'\?\); the tables are"),
        (SMALLEST + "[compression]\n", r"line 6: compression is to be a table that may be repeated; write \[\[comp"),
        (SMALLEST + "[[training]]\n", r"line 6: training is to be one table; write \[training\]"),
        (SMALLEST + "widht = 0.5\n", r"line 6: \[\[model\]\] has no key 'widht' \(did you mean 'width'\?\); it has"),
        (SMALLEST + "width = 'wide'\n", r"line 6: width is 'wide'; accepted is a number above 0 up"),
        (SMALLEST + "width = [0.5, 9]\n", r"line 6: width is 9; accepted is .*, or a list of such: write width = 0\.5"),
        (SMALLEST + "width = true\n", r"line 6: width is True; accepted is a number"),
        (SMALLEST + "width = nan\n", r"line 6: width is nan; accepted is a number"),
        (SMALLEST + "width = []\n", r"line 6: width is a list of 0; give 1 to 100 values"),
        (SMALLEST + "width = [1, 1]\n", r"line 6: width lists a value twice"),
        (SMALLEST + "[training]\nepochs = 0\n", r"line 7: epochs is 0; accepted is a whole number from 1 to 100000"),
        (SMALLEST + "[training]\nepochs = [1, 2]\n", r"line 7: epochs is \[1, 2\]; accepted is a whole number"),
        (SMALLEST + "[training]\nrecipe = 'addam'\n", r"line 7: recipe is 'addam' \(did you mean 'adam'"),
        (SMALLEST.replace("digits", "digit"), r"line 2: unknown data set 'digit'; did you mean 'digits'\?"),
        (SMALLEST.replace("small_cnn", "smal_cnn"), r"line 5: unknown model 'smal_cnn'; did you mean 'small_cnn'"),
        (SMALLEST.replace("small_cnn", "wrn_D_K"), r"line 4: wrn_D_K stands for a family of networks; write D = 16"),
        (SMALLEST + "[[device]]\nname = 'qemu:m1'\n", r"line 7: unknown CPU 'm1'"),
        (SMALLEST + "[[device]]\nname = 'phone'\n", r"line 7: unknown device 'phone'.*accepted is local, qemu:CPU"),
        (SMALLEST + "[[device]]\npreset = 'fast'\n", r"line 7: preset is 'fast'; accepted is one of quick"),
        (SMALLEST + "[[compression]]\nprune = 'pps'\n", r"line 7: prune is 'pps' \(did you mean 'psp'"),
        (SMALLEST + "[[compression]]\nrate = 0.5\n", r"line 7: rate means nothing here: it goes with prune"),
        (SMALLEST + "[[compression]]\nprune='dns'\nstructure='group'", r"line 8: structure means .* takes rate"),
        (SMALLEST + "[[compression]]\nprune = 'dns'\nint8 = 'qat'", r"line 8: int8 fine-tuning would fill .* .ptq"),
        (SMALLEST + "[[compression]]\nformat = 'int8'\n", r"line 7: int8 takes ranges: write int8 = .qat. or"),
        (SMALLEST + "[[compression]]\nscheme = 'binary'\nint8 = 'ptq'\n", r"line 8: calibration runs the float"),
        (SMALLEST + "[[compression]]\nprune = 'n_of_m'\npattern = '2-4'\n", r"line 8: pattern is '2-4'; two whole"),
        (SMALLEST + "[[compression]]\nname = 'x'\nint8 = ['qat', 'ptq']\n", r"line 7: one name for several series"),
        (SMALLEST.replace("small_cnn", "wrn_16_2") + "[[compression]]\nscheme='binary'", r"line 7: wrn_16_2 has no"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        spec_of(text)


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*none\.toml: No such file"):
        read_spec(tmp_path / "none.toml")
    path = tmp_path / "s.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SpecError, match="is no text in UTF-8"):
        read_spec(path)
    path.write_bytes(b"#" * (1 << 19))
    with pytest.raises(SpecError, match="more than 256 KiB"):
        read_spec(path)
    path.write_text("x = " + "[" * 100_000)
    with pytest.raises(SpecError, match="is no TOML"):
        read_spec(path)


def test_a_grid_of_millions_is_refused() -> None:
    names = [f"a{number}" for number in range(100)]
    with pytest.raises(SpecError, match=r"line 6: its lists have .* combinations; sweep at most 10000 at once"):
        spec_of(
            SMALLEST + f"[[compression]]\nkernel_quantizer = {names}\ninput_quantizer = {names}\nint8=['qat', 'ptq']"
        )


def test_series() -> None:
    def series(**values: object) -> str:
        return Compression.of(values).series

    assert series() == "float32"
    assert series(format="float16") == "float16"
    assert series(scheme="binary", int8="qat") == "binary + int8 QAT"
    assert series(kernel_quantizer="lsq_w2", input_quantizer="lsq_a2") == "lsq_w2 lsq_a2"
    assert series(prune="han") == "han 0.8"
    assert series(prune="block", block="4x4", rate=0.5, int8="ptq") == "block 4x4 0.5 + int8 PTQ"
    assert series(prune="psp", structure="kernel", format="float16") == "psp kernel 0.5 + float16"
    assert series(name="mine", int8="qat") == "mine"
