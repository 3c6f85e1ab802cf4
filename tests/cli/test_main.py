"""What all commands share: help, mistyped names, the log, Ctrl-C."""

import logging

import pytest

import kerasep
from kerasep import zoo
from kerasep.cli import COMMANDS, DATA_COMMANDS
from kerasep.cli.terminal import show_log


def test_version(capsys, call):
    assert call("--version") == 0
    assert capsys.readouterr().out == f"kerasep {kerasep.__version__}\n"


@pytest.mark.parametrize("command", [*COMMANDS, "data", *(f"data {c}" for c in DATA_COMMANDS)])
def test_every_command_has_help_of_80_columns(command, capsys, call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert call(*command.split(), "--help") == 0
    text = capsys.readouterr().out
    assert "Usage" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert "..." not in text.replace("[files]...", "").replace("files...", "").replace(
        "[ARGS]...", ""
    )


@pytest.mark.parametrize("group", [(), ("data",)])
def test_a_group_without_a_command_shows_its_help(group, capsys, call):
    assert call(*group) == 2
    said = capsys.readouterr()
    assert "Usage" in said.out
    assert said.err == ""


def test_what_is_logged_is_shown(capsys):
    logger = logging.getLogger("kerasep")
    before = logger.level
    try:
        show_log()
        show_log()
        logging.getLogger("kerasep.training").info("batch size %d [found]", 8)
    finally:
        for handler in [*logger.handlers]:
            logger.removeHandler(handler)
        logger.setLevel(before)
    assert capsys.readouterr().out == "batch size 8 [found]\n"


def test_ctrl_c_is_told(monkeypatch, capsys, call):
    def stopped():
        raise KeyboardInterrupt

    monkeypatch.setattr(zoo, "list_entries", stopped)
    assert call("list") == 130
    assert capsys.readouterr().err.startswith("kerasep: stopped")


def test_mistyped_names(folder, refused):
    assert "did you mean open_unmix_like" in refused("show", "open_unmx_like")
    assert "train" in refused("trian")
    refused("train", "open_unmix_like/small")
