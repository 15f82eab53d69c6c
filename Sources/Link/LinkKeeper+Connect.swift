public import Bytes

extension LinkKeeper {
    /// A session between two tables without a handshake, for tests and benchmarks.
    ///
    /// - Parameters:
    ///   - row: the other's row here.
    ///   - otherRow: our row there.
    ///   - keys: 32 bytes to seal with here, 32 there.
    /// - Returns: the index here and there; nil if a table is full.
    public mutating func connect(
        _ row: UInt32,
        with other: inout LinkKeeper,
        _ otherRow: UInt32,
        keys: Region,
        datagramBytes: Int,
        nowNanos: UInt64
    ) -> (here: UInt32, there: UInt32)? {
        guard let here = begin(), let there = other.begin() else { return nil }
        var swapped = Bytes64()
        swapped.withRegion { swapped in
            swapped.copy(keys.slice(32, 32), to: 0)
            swapped.copy(keys.slice(0, 32), to: 32)
            install(
                here,
                row,
                keys: keys,
                remoteIndex: there,
                datagramBytes: datagramBytes,
                isInitiator: true,
                isProven: true,
                nowNanos: nowNanos
            )
            other.install(
                there,
                otherRow,
                keys: swapped,
                remoteIndex: here,
                datagramBytes: datagramBytes,
                isInitiator: false,
                isProven: false,
                nowNanos: nowNanos
            )
            zeroize(swapped)
        }
        return (here, there)
    }

    /// Makes counters below 2^37 as if never taken, for a benchmark that opens one train again and
    /// again.
    package func untake(_ index: UInt32, _ counters: Range<UInt64>) {
        let first = ReplayWindow.cells * Int(index & table.slotMask)
        for block in counters.lowerBound >> 5...counters.upperBound >> 5 {
            table.windows.store(0, first + Int(block % UInt64(ReplayWindow.cells)))
        }
    }
}
