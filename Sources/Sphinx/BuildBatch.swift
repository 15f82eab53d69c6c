public import Bytes
internal import Crypto

/// The steps over many packets at once. Each reads and writes only the columns of `lanes`; lengths
/// of paths may differ.
///
/// The order of the steps is that of their declaration; the caller wipes the scratch after the
/// last.
extension Build {
    /// Derives the secrets of the paths in `scratch.nodes` from `scratch.seed`: alphas, secrets and
    /// half-keys.
    ///
    /// - Parameters:
    ///   - halfKeys: false if nobody will be paid on these paths, so that none are needed.
    ///   - tables: of node keys used often; nil multiplies without.
    /// - Returns: the lanes that have them. The others have no node, or a public key that is no
    ///   point: what stands in their columns is of no use, and no further step may be given them.
    /// - Time: constant in seeds; variable in public keys, which are public.
    /// - Source: Sphinx (2009), forming a message; RFC-0004.
    @_noLocks
    public static func derive(
        lanes: LaneMask,
        halfKeys: Bool = true,
        tables: NodeTables? = nil,
        scratch: BuildScratch
    ) -> LaneMask {
        var left = lanes
        while let lane = left.popFirst() { scratch.count[lane] = scratch.nodes[lane].count }
        let exponent = Lanes(scratch.exponent)
        var derived = scratch.reaching(0, lanes)
        Kernels.scalarClampReduce(Lanes(scratch.seed), out: exponent, live: derived)
        Kernels.edwardsMulBase(scalar: exponent, out: Lanes(scratch.alpha), live: derived)
        for node in 0..<Geometry.nodesMax {
            let live = scratch.reaching(node, derived)
            if live == 0 { break }
            let valid = share(node, live, tables, scratch)
            derived &= ~live | valid
            let onward = scratch.reaching(node + 1, valid)
            if onward != 0 { blind(node, onward, scratch) }
        }
        guard halfKeys else { return derived }
        for window in scratch.windows {
            let pairs = scratch.pairs(window: window, of: derived)
            if pairs == 0 { continue }
            Kernels.halfKeys(
                secret: scratch.secretPairs.of(window: window),
                own: PairColumn(scratch.ownHalfKeys).of(window: window),
                ack: PairColumn(scratch.ackHalfKeys).of(window: window),
                live: pairs
            )
        }
        return derived
    }

    /// The secrets of one node on each path; returns the lanes whose public key is a point.
    @_noLocks
    private static func share(
        _ node: Int,
        _ live: LaneMask,
        _ tables: NodeTables?,
        _ scratch: BuildScratch
    ) -> LaneMask {
        var left = live
        while let lane = left.popFirst() {
            scratch.publicKey[lane] = scratch.nodes[lane].publicKeys[node]
        }
        let publicKey = Lanes(scratch.publicKey)
        let point = Lanes(scratch.point)
        let exponent = Lanes(scratch.exponent)
        let valid =
            if let tables {
                tables.multiply(scratch.publicKey, exponent: exponent, out: point, live: live)
            } else {
                Kernels.edwardsMul(publicKey, scalar: exponent, out: point, live: live)
            }
        Kernels.derive(
            .sphinxSecret,
            salt: publicKey,
            saltBytes: 32,
            key: point,
            keyBytes: 32,
            out: scratch.secretPairs.of(node: node),
            outBytes: 32,
            live: valid
        )
        return valid
    }

    /// Exponent and alpha for the node after that one.
    @_noLocks
    private static func blind(_ node: Int, _ live: LaneMask, _ scratch: BuildScratch) {
        let exponent = Lanes(scratch.exponent)
        let alphaNext = Lanes(scratch.alphaNext)
        let blinding = Lanes(scratch.blinding)
        Kernels.derive(
            .sphinxBlinding,
            salt: node == 0 ? Lanes(scratch.alpha) : alphaNext,
            saltBytes: 32,
            key: Lanes(scratch.point),
            keyBytes: 32,
            out: blinding,
            outBytes: 32,
            live: live
        )
        Kernels.scalarClampReduce(blinding, out: blinding, live: live)
        Kernels.scalarMul(exponent, blinding, out: exponent, live: live)
        // The next alpha lies in the prime-order group, so it is a multiple of the base point.
        Kernels.edwardsMulBase(scalar: exponent, out: alphaNext, live: live)
    }

    /// Encrypts padded payload blocks in place for all nodes of their paths, after `derive`.
    @_noLocks
    public static func encrypt(lanes: LaneMask, payloads: Payloads, scratch: BuildScratch) {
        for window in scratch.windows {
            let pairs = scratch.pairs(window: window, of: lanes)
            if pairs == 0 { continue }
            Kernels.derive(
                .prp,
                key: scratch.secretPairs.of(window: window),
                keyBytes: 32,
                out: scratch.payloadKey.of(window: window),
                outBytes: 152,
                live: pairs
            )
        }
        // The last node's layer is the innermost.
        var node = Geometry.nodesMax - 1
        while node >= 0 {
            let live = scratch.reaching(node, lanes)
            if live != 0 {
                Kernels.lionessForward(
                    material: scratch.payloadKey.of(node: node),
                    block: payloads.blocks,
                    count: payloads.byteCount,
                    live: live
                )
            }
            node -= 1
        }
    }

    /// Writes alphas, headers and MACs to the packets in `slots`; payload and ticket have their
    /// places behind.
    @_noLocks
    public static func write(
        lanes: LaneMask,
        slab: Slab,
        slots: borrowing [64 of UInt32],
        scratch: BuildScratch
    ) {
        var left = lanes
        while let lane = left.popFirst() {
            let packet = slab.packet(slots[lane], Geometry.payloadOffset)
            packet.store(scratch.alpha[lane], 0)
            packet.copy(
                scratch.header(lane).slice(0, Geometry.headerBytes),
                to: Geometry.headerOffset
            )
            packet.store(scratch.mac[lane], Geometry.macOffset)
        }
    }
}
