public import Bytes
internal import Crypto

extension Build {
    /// Makes the headers of paths that `derive` gave secrets for, from the caller's `proofs`,
    /// `senderID` and `padding`.
    ///
    /// - Parameters:
    ///   - noAck: of `lanes`: packets that want no acknowledgement.
    ///   - reply: of `lanes`: headers of SURBs.
    /// - Source: Sphinx (2009), forming a header; RFC-0004.
    @_noLocks
    public static func seal(
        lanes: LaneMask,
        noAck: LaneMask = 0,
        reply: LaneMask = 0,
        scratch: BuildScratch
    ) {
        deriveHeaderKeys(lanes, scratch)
        // From the last node of each path to its first: shorter paths join later.
        var node = Geometry.nodesMax - 1
        while node >= 0 {
            let live = scratch.reaching(node, lanes)
            var left = live
            while let lane = left.popFirst() {
                let prefix = PrefixByte(
                    noAck: noAck.contains(lane),
                    reply: reply.contains(lane),
                    pathPosition: scratch.count[lane] - 1 - node
                )
                if prefix.isFinal {
                    begin(lane, last: node, prefix, scratch)
                } else {
                    wrap(lane, node, prefix, scratch)
                }
            }
            if live != 0 { authenticate(node, live, scratch) }
            node -= 1
        }
    }

    /// Key streams and MAC keys of all nodes.
    @_noLocks
    private static func deriveHeaderKeys(_ lanes: LaneMask, _ scratch: BuildScratch) {
        for window in scratch.windows {
            let pairs = scratch.pairs(window: window, of: lanes)
            if pairs == 0 { continue }
            let secret = scratch.secretPairs.of(window: window)
            let material = scratch.streamKey.of(window: window)
            Kernels.derive(
                .prg,
                key: secret,
                keyBytes: 32,
                out: material,
                outBytes: 44,
                live: pairs
            )
            Kernels.headerStream(
                material: material,
                out: scratch.streams.of(window: window),
                outBytes: Geometry.extendedHeaderBytes,
                live: pairs
            )
            Kernels.derive(
                .tag,
                key: secret,
                keyBytes: 32,
                out: scratch.macKey.of(window: window),
                outBytes: 32,
                live: pairs
            )
        }
    }

    /// The header as the last node gets it.
    @_noLocks
    private static func begin(
        _ lane: Int,
        last: Int,
        _ prefix: PrefixByte,
        _ scratch: BuildScratch
    ) {
        let work = scratch.header(lane)
        let padding = paddingBytes(nodes: last + 1)
        let ownBytes = 1 + Geometry.senderIDBytes + padding
        work.store(prefix, 0)
        work.store(scratch.senderID[lane], 1)
        work.copy(scratch.padding.region(lane).slice(0, padding), to: 1 + Geometry.senderIDBytes)
        work.xor(scratch.streams.entry(lane, last).slice(0, ownBytes))
        fill(work.slice(ownBytes, last * Geometry.entryBytes), lane, scratch)
    }

    /// What the last node sees behind its own part: the key streams of all nodes before it, as each
    /// one's shift brings them in.
    @_noLocks
    private static func fill(_ filler: Region, _ lane: Int, _ scratch: BuildScratch) {
        filler.fill(0)
        var length = 0
        var node = 0
        while length < filler.byteCount {
            length += Geometry.entryBytes
            let start = Geometry.extendedHeaderBytes - length
            filler.xor(scratch.streams.entry(lane, node).slice(start, length))
            node += 1
        }
    }

    /// The header as a relay gets it, around that of the node after it.
    @_noLocks
    private static func wrap(
        _ lane: Int,
        _ node: Int,
        _ prefix: PrefixByte,
        _ scratch: BuildScratch
    ) {
        let work = scratch.header(lane)
        // What is pushed out at the end is filler.
        work.move(0, Geometry.headerBytes - Geometry.entryBytes, to: Geometry.entryBytes)
        work.store(prefix, 0)
        work.storeBigEndian(
            UInt64(scratch.nodes[lane].keyIDs[node + 1]),
            1,
            count: Geometry.keyIDBytes
        )
        work.store(scratch.mac[lane], 5)
        work.store(scratch.proofs[lane][node], 21)
        work.xor(scratch.streams.entry(lane, node).slice(0, Geometry.headerBytes))
    }

    @_noLocks
    private static func authenticate(_ node: Int, _ live: LaneMask, _ scratch: BuildScratch) {
        Kernels.headerMAC(
            key: scratch.macKey.of(node: node),
            Lanes(scratch.headers, stride: PeelScratch.headerStride),
            count: Geometry.headerBytes,
            out: Lanes(scratch.mac),
            live: live
        )
    }
}
