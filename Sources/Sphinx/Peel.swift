public import Bytes

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
/// everything the header says, `halfKeys` derives what payment needs, `apply` turns the packet in its
/// slot into the next hop's. Until `apply` the slot is as it was received.
public enum Peel {
    /// Verifies and decrypts the headers of `lanes`.
    ///
    /// - Parameters:
    ///   - batch: its slots name packets of `geometry.packetBytes`; lengths are already checked.
    ///   - lanes: the lanes to open.
    /// - Returns: which lanes opened, and why the others did not. No slot is written.
    /// - Time: constant in keys and bytes; variable in which lanes are meant.
    @_noLocks
    public static func open(
        _ batch: borrowing Batch,
        lanes: LaneMask,
        slab: Slab,
        geometry: Geometry,
        key: PeelKey,
        scratch: PeelScratch
    ) -> PeelOutcome {
        PeelOutcome()
    }

    /// Derives own and acknowledging half-keys of opened lanes.
    @_noLocks
    public static func halfKeys(lanes: LaneMask, scratch: PeelScratch) {
    }

    /// Removes the layer of opened lanes, in place: the payload of all, and alpha, header and MAC of
    /// those to be relayed. Tickets are not touched.
    @_noLocks
    public static func apply(
        _ batch: borrowing Batch,
        lanes: LaneMask,
        slab: Slab,
        geometry: Geometry,
        scratch: PeelScratch
    ) {
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
