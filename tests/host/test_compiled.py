"""Compiled modules: kept by their contents, and never in the way of what MicroPython has to say."""

import os

import pytest
from pulseweave import compiled, emitters, micropython

OPTIONS = ("-march=x64", "-X", "emit=native")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache of the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    compiled.kept.cache_clear()
    yield tmp_path / "cache" / "pulseweave" / "mpy"
    compiled.kept.cache_clear()


def tree(place, **texts):
    place.mkdir()
    for name, text in texts.items():
        (place / f"{name}.py").write_text(text)
    return place


def test_only_what_changed_is_compiled_again(tmp_path, cache):
    code = tree(tmp_path / "code", one="x = 1\n", two="y = 2\n")
    compiled.folder(code, tmp_path / "a", str, *OPTIONS)
    before = {p.name for p in cache.iterdir()}
    assert len(before) == 2
    (code / "two.py").write_text("y = 3\n")
    compiled.folder(code, tmp_path / "b", str, *OPTIONS)
    assert len({p.name for p in cache.iterdir()} - before) == 1
    assert (tmp_path / "a" / "one.mpy").read_bytes() == (tmp_path / "b" / "one.mpy").read_bytes()
    assert (tmp_path / "a" / "two.mpy").read_bytes() != (tmp_path / "b" / "two.mpy").read_bytes()
    assert not list((tmp_path / "b").glob("*.py"))


def test_scripts_and_what_does_not_compile_stay_source(tmp_path, cache):
    code = tree(tmp_path / "code", main="import one\n", one="def (:\n")
    made = compiled.folder(code, tmp_path / "made", str, *OPTIONS)
    assert sorted(p.name for p in made.iterdir()) == ["main.py", "one.py"]
    with pytest.raises(compiled.DoesNotCompile, match="SyntaxError"):
        compiled.module(b"def (:\n", "one.py", *OPTIONS)
    assert not list(cache.glob("*"))  # nothing half made is left


def test_a_change_is_made_once_and_only_where_it_compiles():
    asked = []

    def change(text):
        asked.append(text)
        return text.replace("1", "2").replace("3", "(")

    for _ in range(2):
        sound = compiled.sound(change, *OPTIONS)
        assert [sound(t) for t in ("x = 1\n", "x = 3\n", "x = 5\n")] == ["x = 2\n", "x = 3\n", "x = 5\n"]
    assert len(asked) == 3


def test_a_cache_that_cannot_be_written_is_no_obstacle(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    compiled.kept.cache_clear()
    assert compiled.module(b"x = 1\n", "x.py")[0] == ord("M")


def test_code_in_haste_is_what_this_port_loads():
    if not (micropython.emits_native() and micropython.loads_ours()):
        pytest.skip("this port loads no machine code of 64-bit Intel and AMD processors")
    from pulseweave.paths import DEVICE

    made = micropython.fit(DEVICE, True)
    kernel = (made / "weave" / "light" / "kernel.mpy").read_bytes()
    assert kernel[1] == 6 and kernel[2] >> 2 == micropython.X64
    assert emitters.MARK.search((DEVICE / "weave" / "light" / "kernel.py").read_text())
    assert micropython.fit(DEVICE) == DEVICE


def test_an_empty_file_in_the_cache_is_made_anew(cache):
    made = compiled.module(b"x = 1\n", "x.py")
    (kept,) = cache.iterdir()
    kept.write_bytes(b"")
    assert compiled.module(b"x = 1\n", "x.py") == made == kept.read_bytes()
    sound = compiled.sound(lambda text: text + "y = 2\n", *OPTIONS)
    assert sound("x = 1\n") == "x = 1\ny = 2\n"
    for p in cache.glob("*.py"):
        p.write_bytes(b"")
    assert sound("x = 1\n") == "x = 1\ny = 2\n"


def test_on_a_full_disk_it_goes_on_without_keeping(cache, monkeypatch):
    real = compiled.Path.replace

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compiled.Path, "replace", full)
    assert compiled.module(b"x = 1\n", "x.py")[0] == ord("M")
    assert not list(cache.iterdir())
    monkeypatch.setattr(compiled.Path, "replace", real)


def test_where_nothing_can_be_kept_it_compiles_all_the_same(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(compiled.tempfile, "gettempdir", lambda: str(tmp_path / "file"))
    compiled.kept.cache_clear()
    assert compiled.module(b"x = 1\n", "x.py")[0] == ord("M")


def test_a_folder_that_others_can_write_to_is_not_trusted(tmp_path, monkeypatch):
    """What is kept runs on boards: nobody else may have put it there."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    theirs = tmp_path / f"pulseweave-mpy-{os.getuid()}"
    theirs.mkdir()
    theirs.chmod(0o777)
    compiled.kept.cache_clear()
    assert compiled.kept() != theirs
    code = tree(tmp_path / "code", one="x = 1\n")
    assert (compiled.folder(code, tmp_path / "made", str, *OPTIONS) / "one.mpy").exists()
    assert not list(theirs.iterdir())
    theirs.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    theirs.symlink_to(tmp_path / "elsewhere")  # a link can be turned to another place at any time
    compiled.kept.cache_clear()
    assert compiled.kept() != theirs


def test_a_user_without_a_home_has_a_cache_all_the_same(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: (_ for _ in ()).throw(KeyError(uid)))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    compiled.kept.cache_clear()
    assert compiled.kept().parent == tmp_path
