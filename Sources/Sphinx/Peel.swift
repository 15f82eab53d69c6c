public import Bytes
internal import Crypto

/// What `Peel.open` found, as lane masks. The masks are disjoint and cover the lanes handed in.
public struct PeelOutcome: BitwiseCopyable, Sendable {
    /// Opened: MAC and version are right and the scratch columns are filled.
    public var opened: LaneMask = 0
    /// Opened lanes that end here.
    public var final: LaneMask = 0
    /// Alpha is no point.
    public var alphaInvalid: LaneMask = 0
    /// The next alpha is the neutral element.
    public var alphaNeutral: LaneMask = 0
    /// The header's MAC does not match: perhaps another of our keys was meant.
    public var headerMac: LaneMask = 0
    /// The version is not 1.
    public var headerVersion: LaneMask = 0

    /// Nothing found.
    @_noLocks
    public init() {}
}

/// Removes one layer from a batch of packets.
///
/// Three steps, so that a packet refused between them costs no more than it must: `open` learns
/// everything the header says, `halfKeys` derives what payment needs, `apply` turns the packet in
/// its slot into the next hop's. Until `apply` the slot is as it was received.
public enum Peel {
    /// Verifies and decrypts the headers of `lanes`.
    ///
    /// - Parameters:
    ///   - batch: its slots name packets of `geometry.packetBytes`; lengths are already checked.
    ///   - lanes: the lanes to open.
    /// - Returns: which lanes opened, and why the others did not. No slot is written.
    /// - Time: constant in keys and bytes; variable in which lanes are meant.
    /// - Source: Sphinx (2009), message processing; RFC-0004.
    @_noLocks
    public static func open(
        _ batch: borrowing Batch,
        lanes: LaneMask,
        slab: Slab,
        geometry: Geometry,
        key: PeelKey,
        scratch: PeelScratch
    ) -> PeelOutcome {
        var outcome = PeelOutcome()
        let alpha = Kernels.alphaStep(
            Lanes(slab, slots: batch.slot, offset: 0),
            scalar: key.scalar,
            publicKey: key.publicKey,
            secret: Lanes(scratch.secret),
            next: Lanes(scratch.alphaNext),
            live: lanes
        )
        outcome.alphaInvalid = lanes & ~alpha.valid
        outcome.alphaNeutral = geometry.refusesNeutralAlpha ? alpha.neutral : 0
        let usable = alpha.valid & ~outcome.alphaNeutral

        let authentic = verify(batch, lanes: usable, slab: slab, scratch: scratch)
        outcome.headerMac = usable & ~authentic

        outcome.headerVersion = decrypt(batch, lanes: authentic, slab: slab, scratch: scratch)
        outcome.opened = authentic & ~outcome.headerVersion
        outcome.final = read(lanes: outcome.opened, scratch: scratch)
        Kernels.derive(
            .packetTag,
            key: Lanes(scratch.secret),
            keyBytes: 32,
            out: Lanes(scratch.tag),
            outBytes: Geometry.tagBytes,
            live: outcome.opened
        )
        return outcome
    }

    /// Lanes whose header has the MAC that its secret gives.
    @_noLocks
    private static func verify(
        _ batch: borrowing Batch,
        lanes: LaneMask,
        slab: Slab,
        scratch: PeelScratch
    ) -> LaneMask {
        Kernels.derive(
            .tag,
            key: Lanes(scratch.secret),
            keyBytes: 32,
            out: Lanes(scratch.macKey),
            outBytes: 32,
            live: lanes
        )
        Kernels.headerMAC(
            key: Lanes(scratch.macKey),
            Lanes(slab, slots: batch.slot, offset: Geometry.headerOffset),
            count: Geometry.headerBytes,
            out: Lanes(scratch.mac),
            live: lanes
        )
        return Kernels.equal(
            Lanes(scratch.mac),
            Lanes(slab, slots: batch.slot, offset: Geometry.macOffset),
            count: Geometry.macBytes,
            live: lanes
        )
    }

    /// Decrypts headers to scratch, keystream behind; returns lanes of another version.
    @_noLocks
    private static func decrypt(
        _ batch: borrowing Batch,
        lanes: LaneMask,
        slab: Slab,
        scratch: PeelScratch
    ) -> LaneMask {
        Kernels.derive(
            .prg,
            key: Lanes(scratch.secret),
            keyBytes: 32,
            out: Lanes(scratch.streamKey),
            outBytes: 44,
            live: lanes
        )
        Kernels.headerStream(
            material: Lanes(scratch.streamKey),
            input: Lanes(slab, slots: batch.slot, offset: Geometry.headerOffset),
            inputBytes: Geometry.headerBytes,
            out: Lanes(scratch.headers, stride: PeelScratch.headerStride),
            outBytes: Geometry.extendedHeaderBytes,
            live: lanes
        )
        var wrong: LaneMask = 0
        var left = lanes
        while let lane = left.popFirst() {
            let prefix = PrefixByte(rawValue: scratch.header(lane).byte(0))
            scratch.prefix[lane] = prefix
            if prefix.version != 1 { wrong |= 1 << LaneMask(lane) }
        }
        return wrong
    }

    /// Takes the fields out of decrypted headers; returns the lanes that end here.
    @_noLocks
    private static func read(lanes: LaneMask, scratch: PeelScratch) -> LaneMask {
        var final: LaneMask = 0
        var left = lanes
        while let lane = left.popFirst() {
            let header = scratch.header(lane)
            if scratch.prefix[lane].isFinal {
                final |= 1 << LaneMask(lane)
                scratch.senderID[lane] = header.load(1)
            } else {
                scratch.nextKeyID[lane] = UInt32(
                    truncatingIfNeeded: header.bigEndian(1, count: Geometry.keyIDBytes)
                )
                scratch.proof[lane] = header.load(21)
            }
        }
        return final
    }

    /// Derives own and acknowledging half-keys of opened lanes.
    @_noLocks
    public static func halfKeys(lanes: LaneMask, scratch: PeelScratch) {
        Kernels.halfKeys(
            secret: Lanes(scratch.secret),
            own: Lanes(scratch.ownHalfKey),
            ack: Lanes(scratch.ackHalfKey),
            live: lanes
        )
    }

    /// Removes the layer of opened lanes, in place: the payload of all, and alpha, header and MAC
    /// of those to be relayed. Tickets are not touched.
    @_noLocks
    public static func apply(
        _ batch: borrowing Batch,
        lanes: LaneMask,
        slab: Slab,
        geometry: Geometry,
        scratch: PeelScratch
    ) {
        Kernels.derive(
            .prp,
            key: Lanes(scratch.secret),
            keyBytes: 32,
            out: Lanes(scratch.payloadKey),
            outBytes: 152,
            live: lanes
        )
        Kernels.lionessInverse(
            material: Lanes(scratch.payloadKey),
            block: Lanes(slab, slots: batch.slot, offset: Geometry.payloadOffset),
            count: geometry.payloadBytes,
            live: lanes
        )
        var left = lanes
        while let lane = left.popFirst() {
            if scratch.prefix[lane].isFinal { continue }
            let packet = slab.packet(batch.slot[lane], geometry.packetBytes)
            let header = scratch.header(lane)
            packet.store(scratch.alphaNext[lane], 0)
            packet.copy(
                header.slice(Geometry.entryBytes, Geometry.headerBytes),
                to: Geometry.headerOffset
            )
            packet.copy(header.slice(5, Geometry.macBytes), to: Geometry.macOffset)
        }
    }

    /// All three steps over the live lanes; the others are dropped with their reason.
    @_noLocks
    public static func peel(
        _ batch: inout Batch,
        slab: Slab,
        geometry: Geometry,
        key: PeelKey,
        scratch: PeelScratch
    ) {
        let lanes = batch.live
        let outcome = open(
            batch,
            lanes: lanes,
            slab: slab,
            geometry: geometry,
            key: key,
            scratch: scratch
        )
        batch.drop(mask: outcome.alphaInvalid, .alphaInvalid)
        batch.drop(mask: outcome.alphaNeutral, .alphaNeutral)
        batch.drop(mask: outcome.headerMac, .headerMac)
        batch.drop(mask: outcome.headerVersion, .headerVersion)
        halfKeys(lanes: outcome.opened, scratch: scratch)
        apply(batch, lanes: outcome.opened, slab: slab, geometry: geometry, scratch: scratch)
    }
}
