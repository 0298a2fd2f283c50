# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

"""Measures Chard and its neighbours in one run."""
