"""The flash analyser against signals whose flashes are known."""

import numpy as np
import pytest
from pulseweave.sim.flashes import FlashMeter, analyse

FPS = 50.0
WHITE = (1.0, 1.0, 1.0)


def strand(signal, colour=WHITE, pixels=3):
    """Frames of one strand whose every pixel is `signal` times a colour."""
    return (
        (np.asarray(signal)[:, None, None, None] * np.array(colour)).repeat(pixels, axis=2).astype(np.float32)
    )


def square(hz, high=1.0, low=0.0, seconds=4.0):
    t = np.arange(int(seconds * FPS)) / FPS
    return np.where((t * hz) % 1 < 0.5, low, high)


@pytest.mark.parametrize("hz", [1, 2, 3, 5, 10])
def test_square_wave_has_a_flash_per_cycle(hz):
    # the second may hold one change more than whole cycles: its ends both count
    assert hz <= analyse(strand(square(hz)), FPS).flashes_per_s_max <= hz + 0.5


def test_a_tenth_is_a_flash_and_less_is_not():
    assert analyse(strand(square(4, 0.5, 0.4)), FPS).flashes_per_s_max >= 4
    assert analyse(strand(square(4, 0.5, 0.401)), FPS).flashes_per_s_max == 0


def test_darker_state_above_four_fifths_is_no_flash():
    assert analyse(strand(square(4, 1.0, 0.81)), FPS).flashes_per_s_max == 0
    assert analyse(strand(square(4, 1.0, 0.79)), FPS).flashes_per_s_max >= 4


def test_slow_ramps_in_small_steps_are_changes_too():
    t = np.arange(500) / FPS
    report = analyse(strand(0.5 - 0.3 * np.cos(2 * np.pi * t)), FPS)
    assert report.flashes_per_s_max in (1, 1.5)
    assert report.reversal_ms_min == 500


def test_ripple_within_a_ramp_is_no_turning_point():
    t = np.arange(200) / FPS
    ramp = np.clip(t / 4, 0, 1) * 0.8 + 0.04 * np.sin(2 * np.pi * 8 * t)
    assert analyse(strand(ramp), FPS).flashes_per_s_max <= 0.5


def test_one_pixel_is_found():
    frames = np.zeros((200, 2, 11, 3), np.float32)
    frames[:, 1, 3] = square(6)[:, None]
    report = analyse(frames, FPS)
    assert report.worst_where == "strand 1 pixel 3" and report.flashes_per_s_max >= 6


def test_pixels_in_turn_flash_the_room_where_none_flashes_fast():
    """Eight pixels at 1 Hz, one after the other: the sum flashes at 8 Hz, each pixel at 1 Hz."""
    t = np.arange(200) / FPS
    frames = np.zeros((200, 1, 8, 3), np.float32)
    for i in range(8):
        frames[:, 0, i] = (((t - i / 8) % 1) < 1 / 16)[:, None]
    report = analyse(frames, FPS)
    assert report.worst_where in ("room", "strand 0") and report.flashes_per_s_max >= 7


def test_red_flash_is_red_and_needs_no_luminance():
    # 20/320 of red: luminance changes by 0.014 only
    red = analyse(strand(square(5, 0.07), (1, 0, 0)), FPS)
    assert red.red_flashes_per_s_max >= 5 and red.flashes_per_s_max == 0
    assert red.red_fraction_max == 1
    blue = analyse(strand(square(5, 0.9), (0.1, 0.3, 1)), FPS)
    assert blue.red_flashes_per_s_max == 0 and blue.red_fraction_max < 0.1
    amber = analyse(strand(square(5, 0.9), (0.79, 0.15, 0.06)), FPS)
    assert amber.red_flashes_per_s_max == 0


def test_bytes_srgb_and_white_channel():
    frames = (strand(square(5, 0.2)) * 255).astype(np.uint8)
    assert analyse(frames, FPS).flashes_per_s_max >= 5
    assert analyse(frames, FPS, "srgb").flashes_per_s_max == 0  # 0.2 on a screen is 0.033 of light
    white = np.concatenate((np.zeros_like(frames), frames[..., :1]), axis=-1)
    assert analyse(white, FPS).flashes_per_s_max >= 5


def test_frames_at_uneven_times():
    meter = FlashMeter(1, 1)
    for i in range(9):
        meter.push(np.full((1, 1, 3), i % 2, np.float32), i * 0.3)
    assert meter.report()["flashes_per_s_max"] == 2  # changes at 0.3 s: four in a closed second
    assert meter.report()["reversal_ms_min"] == 300


def test_bad_input():
    with pytest.raises(ValueError, match="frame rate"):
        analyse(np.zeros((2, 1, 1, 3)), 0)
    with pytest.raises(ValueError, match="encoding"):
        FlashMeter(1, 1, "gamma")
