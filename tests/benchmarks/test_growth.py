"""What is said of a rate after more history: after how many documents, how many times as many."""

from __future__ import annotations

from benchmarks.growth import Best, best_of, grown_figure


def test_the_best_of_several_jobs_says_after_how_many_documents_it_stood() -> None:
    rates = {3: 900.0, 4: 1100.0, 5: 1000.0}
    count = 0

    def job(seed: int) -> float:
        nonlocal count
        count += 300_000
        return rates[seed]

    best = best_of(3, job, lambda: 300_000 + count)
    assert best == Best(rate=1100.0, before=600_000, times=3)
    assert str(best) == "600,000 documents before, the best of 3"


def test_a_figure_after_more_history_says_how_much_more_it_was() -> None:
    figure = grown_figure(Best(1000.0, 900_000, 3), Best(850.0, 3_600_000, 2))
    assert figure.name.endswith("3,600,000 documents before, the best of 2: 4.0 × the history")
    assert figure.against == "900,000 documents before, the best of 3"
    assert figure.ratio == 0.85 and figure.met
