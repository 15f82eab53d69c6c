public import Bytes
internal import Crypto

extension Engine {
    /// Tickets that wait for their acknowledgement in the memory of an engine that has ended, by
    /// channel: for whoever cannot take the memory over.
    public static func ticketsAwaited(
        in memory: Region,
        config: EngineConfig
    ) -> [UInt32: UInt64] {
        var arena = Arena(memory)
        let curve = Secp256k1(in: memory.slice(0, Secp256k1.byteCount))
        return EngineMemory(&arena, config: config, curve: curve).table.tickets
    }
}

extension UnackedTable {
    /// Entries with a ticket, by channel.
    fileprivate var tickets: [UInt32: UInt64] {
        var counts: [UInt32: UInt64] = [:]
        for place in 0..<UInt32(capacity) where slices.isUsed(place) {
            let channel = value(place).channel
            if channel != UnackedTable.none { counts[channel, default: 0] += 1 }
        }
        return counts
    }
}
