# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""Figures gathered over rounds, as medians, in markdown and JSON."""

import json
import statistics


class Report:
    def __init__(self):
        self.figures = {}

    def add(self, workload, system, figures):
        row = self.figures.setdefault(workload, {}).setdefault(system, {})
        for name, value in figures.items():
            row.setdefault(name, []).append(value)

    def medians(self):
        return {
            workload: {
                system: {name: statistics.median(values) for name, values in row.items()}
                for system, row in systems.items()
            } for workload, systems in self.figures.items()
        }

    def markdown(self):
        lines = []
        for workload, systems in self.medians().items():
            names = list(dict.fromkeys(name for row in systems.values() for name in row))
            lines += ["", f"| {workload} | {' | '.join(names)} |", "|---" + "|---:" * len(names) + "|"]
            for system, row in systems.items():
                cells = [number(row[name]) if name in row else "" for name in names]
                lines.append(f"| {system} | {' | '.join(cells)} |")
        return "\n".join(lines)

    def json(self):
        return json.dumps({"medians": self.medians(), "samples": self.figures}, indent=1)


def number(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 10 else f"{value:.1f}"
