import Bytes
import Crypto
import Harness
import Sphinx

/// Removing and making layers.
func sphinxCases(_ fixture: Fixture) -> [Case] {
    let scratch = fixture.peelScratch
    let geometry = fixture.geometry
    let key = PeelKey(
        scalar: fixture.relay.scalar,
        publicKey: publicKeyRegion(fixture.relay)
    )
    func whole(_ name: String, _ count: Int) -> Case {
        Case(name, batch: count) {
            fixture.restore()
            var batch = fixture.batch(count)
            Peel.peel(
                &batch,
                slab: fixture.packets,
                geometry: geometry,
                key: key,
                scratch: scratch
            )
            precondition(batch.live == LaneMask.first(count))
            return UInt64(scratch.tag[count - 1][0])
        }
    }
    let all = LaneMask.max
    return [
        Case("peel.alpha", batch: 64) {
            let batch = fixture.batch(64)
            let outcome = Kernels.alphaStep(
                Lanes(fixture.pristine, slots: batch.slot, offset: 0),
                scalar: key.scalar,
                publicKey: key.publicKey,
                secret: Lanes(scratch.secret),
                next: Lanes(scratch.ackHalfKey),
                live: all
            )
            return outcome.valid & UInt64(scratch.secret[63][0])
        },
        whole("peel.whole", 64),
        whole("peel.whole.batch8", 8),
        whole("peel.whole.batch1", 1),
        Case("peel.lioness", batch: 16) {
            let batch = fixture.batch(16)
            Kernels.lionessInverse(
                material: Lanes(fixture.pristine.region, stride: 2_048),
                block: Lanes(fixture.packets, slots: batch.slot, offset: Geometry.payloadOffset),
                count: geometry.payloadBytes,
                live: .first(16)
            )
            return UInt64(fixture.packets.packet(15, 300).byte(289))
        },
        Case("peel.mac", batch: 64) {
            let batch = fixture.batch(64)
            Kernels.headerMAC(
                key: Lanes(scratch.secret),
                Lanes(fixture.pristine, slots: batch.slot, offset: Geometry.headerOffset),
                count: Geometry.headerBytes,
                out: Lanes(scratch.tag),
                live: all
            )
            return UInt64(scratch.tag[63][0])
        },
        Case("peel.halfkeys", batch: 64) {
            Peel.halfKeys(lanes: all, scratch: scratch)
            return UInt64(scratch.ownHalfKey[63][0])
        },
        Case("build.relays3") {
            fixture.build(fixture.packets.packet(0, geometry.packetBytes), proofs: false)
            return UInt64(fixture.packets.packet(0, 32).byte(0))
        },
        Case("build.whole3") {
            fixture.build(fixture.packets.packet(0, geometry.packetBytes))
            return UInt64(fixture.packets.packet(0, 32).byte(0))
        },
    ]
}

/// The public key as bytes that stay where they are.
func publicKeyRegion(_ key: PacketKey) -> Region {
    key.signingKey.slice(32, 32)
}
