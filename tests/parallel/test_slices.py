"""Accelerators in slices: disjoint, of one size, named as the program's variables want them."""

from __future__ import annotations

from autoresearch.parallel import slices

FOUR = ({"kind": "nvidia", "count": 4},)


def test_each_worker_gets_devices_of_its_own() -> None:
    devices = slices.found(FOUR, {})
    assert [one.environment["CUDA_VISIBLE_DEVICES"] for one in slices.of(devices, 2)] == ["0,1", "2,3"]
    assert [one.devices for one in slices.of(devices, 3)] == ["0", "1", "2"]
    assert [one.devices for one in slices.of(devices, 6)] == ["0", "1", "2", "3", "0", "1"]


def test_what_is_visible_is_shared_and_nothing_else() -> None:
    devices = slices.found(FOUR, {"CUDA_VISIBLE_DEVICES": "5,7"})
    assert [one.environment for one in slices.of(devices, 2)] == [
        {"CUDA_VISIBLE_DEVICES": "5"},
        {"CUDA_VISIBLE_DEVICES": "7"},
    ]
    assert slices.found(FOUR, {"CUDA_VISIBLE_DEVICES": ""}) == ()


def test_rocm_counts_anew_behind_its_own_variable() -> None:
    devices = slices.found([{"kind": "rocm", "count": 4}], {})
    assert slices.of(devices, 2)[1].environment == {"ROCR_VISIBLE_DEVICES": "2,3", "HIP_VISIBLE_DEVICES": "0,1"}


def test_ascend_has_its_variable_and_a_device_of_apple_is_not_divided() -> None:
    devices = slices.found([{"kind": "ascend", "count": 2}, {"kind": "apple", "count": 1}], {})
    assert [one.environment for one in slices.of(devices, 2)] == [
        {"ASCEND_RT_VISIBLE_DEVICES": "0"},
        {"ASCEND_RT_VISIBLE_DEVICES": "1"},
    ]
    assert slices.of((), 2) == (slices.Slice(), slices.Slice())
