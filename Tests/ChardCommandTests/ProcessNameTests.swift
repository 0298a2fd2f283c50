// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ChardCommand

@Suite("Node names of several processes")
struct ProcessNameTests {
    @Test(
        "the number stands before the host, or at the end where no host is named",
        arguments: [
            ("shop@host", "shop-2@host"), ("pool", "pool-2"), ("a@b@host", "a@b-2@host"), ("@host", "-2@host"),
            ("shop-1@host", "shop-1-2@host"),
        ])
    func names(_ name: String, _ numbered: String) {
        #expect(ProcessName.node(name, number: "2") == numbered)
    }
}
