// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Duration {
    /// `3.02 s`, below a second `0.8 ms`.
    var text: String {
        let seconds = Double(components.seconds) + Double(components.attoseconds) / 1e18
        return seconds < 1 ? (seconds * 1000).text(decimals: 1) + " ms" : seconds.text(decimals: 2) + " s"
    }

    /// `3.02 s`, below a second too: for columns.
    var secondsText: String {
        (Double(components.seconds) + Double(components.attoseconds) / 1e18).text(decimals: 2) + " s"
    }
}

extension Double {
    func text(decimals: Int) -> String {
        var scale = 1
        for _ in 0..<decimals { scale *= 10 }
        let units = Int((self * Double(scale)).rounded())
        let fraction = String(units % scale + scale).dropFirst()
        return decimals == 0 ? "\(units)" : "\(units / scale).\(fraction)"
    }
}

extension Int {
    /// `12,345`.
    var text: String {
        var digits = String(self)
        var place = digits.count - 3
        while place > 0 {
            digits.insert(",", at: digits.index(digits.startIndex, offsetBy: place))
            place -= 3
        }
        return digits
    }
}
