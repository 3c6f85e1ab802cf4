"""What all commands share: help, mistyped names, the log, Ctrl-C."""

import logging

import pytest

from kerasep import zoo
from kerasep.cli.terminal import show_log


def test_list_and_show(capsys, call):
    assert call("list") == 0
    assert "open_unmix_like/karaoke" in capsys.readouterr().out
    assert call("show", "open_unmix_like/umx") == 0
    assert '"hidden": 512' in capsys.readouterr().out


@pytest.mark.parametrize(
    "command",
    [
        *("show", "prepare", "train", "separate", "stream", "evaluate", "export", "bench", "demo"),
        *("data", "data check"),
    ],
)
def test_every_command_has_help(command, capsys, call):
    assert call(*command.split(), "--help") == 0
    assert "Usage" in capsys.readouterr().out


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
