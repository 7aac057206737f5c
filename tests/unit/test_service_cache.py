from __future__ import annotations

from thanopg.service.cache import CachedVector, VectorCache

VECTOR = CachedVector(b"[" + b"1," * 500 + b"]", False)


def test_what_was_put_is_found_under_its_model_and_exact_text() -> None:
    cache = VectorCache(100_000)
    cache.put("f1", "a cat", VECTOR)
    assert cache.get("f1", "a cat") == VECTOR
    assert cache.get("f1", "A cat") is None
    assert cache.get("f2", "a cat") is None


def test_bounded_in_bytes_and_the_least_used_goes_first() -> None:
    cache = VectorCache(10_000)
    for number in range(1000):
        cache.put("f", f"text {number}", VECTOR)
        cache.get("f", "text 0")
        assert cache.size <= 10_000
    assert cache.get("f", "text 0") is not None
    assert cache.get("f", "text 999") is not None
    assert cache.get("f", "text 500") is None
    assert len(cache) < 10


def test_putting_again_counts_once_and_what_is_too_large_is_not_kept() -> None:
    cache = VectorCache(10_000)
    cache.put("f", "a", VECTOR)
    size = cache.size
    cache.put("f", "a", VECTOR)
    assert cache.size == size
    cache.put("f", "b" * 10_000, VECTOR)
    assert len(cache) == 1
    nothing = VectorCache(0)
    nothing.put("f", "a", VECTOR)
    assert len(nothing) == 0
