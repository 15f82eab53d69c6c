public import Bytes
internal import Crypto

/// Making and opening replies: one at a time, or up to 64 at once in the columns of a scratch.
public enum Reply {
    /// Encrypts a padded payload block, in place, for a SURB.
    @_noLocks
    public static func encrypt(
        payload: Region,
        surbSenderID: SenderID,
        senderKey: Bytes16,
        scratch: BuildScratch
    ) {
        scratch.senderID[0] = surbSenderID
        scratch.senderKey[0] = senderKey
        let payloads = Payloads(payload, byteCount: payload.byteCount)
        encrypt(lanes: 1, payloads: payloads, scratch: scratch)
    }

    /// Decrypts a reply's payload block, in place, after our own layer was removed by the peel.
    @_noLocks
    public static func open(
        payload: Region,
        opener: borrowing ReplyOpener,
        scratch: BuildScratch
    ) {
        scratch.put(opener, lane: 0)
        let payloads = Payloads(payload, byteCount: payload.byteCount)
        open(lanes: 1, payloads: payloads, scratch: scratch)
    }
}

extension Reply {
    /// Encrypts padded payload blocks, in place, for the SURBs whose sender id and sender key stand
    /// in the columns. The caller wipes the scratch.
    @_noLocks
    public static func encrypt(lanes: LaneMask, payloads: Payloads, scratch: BuildScratch) {
        Kernels.lionessForward(
            material: derive(lanes, scratch),
            block: payloads.blocks,
            count: payloads.byteCount,
            live: lanes
        )
    }

    /// Decrypts payload blocks of replies, in place, after our own layer was removed by the peel,
    /// for lanes with an opener `put` into them. The caller wipes the scratch.
    @_noLocks
    public static func open(lanes: LaneMask, payloads: Payloads, scratch: BuildScratch) {
        Build.encrypt(lanes: lanes, payloads: payloads, scratch: scratch)
        Kernels.lionessInverse(
            material: derive(lanes, scratch),
            block: payloads.blocks,
            count: payloads.byteCount,
            live: lanes
        )
    }

    @_noLocks
    private static func derive(_ lanes: LaneMask, _ scratch: BuildScratch) -> Lanes {
        let material = scratch.payloadKey.of(node: 0)
        Kernels.derive(
            .replyPRP,
            salt: Lanes(scratch.senderID),
            saltBytes: Geometry.senderIDBytes,
            key: Lanes(scratch.senderKey),
            keyBytes: 16,
            out: material,
            outBytes: 152,
            live: lanes
        )
        return material
    }
}
