import Bytes
import Crypto
import TestSupport
import Testing

@Suite struct KeyTests {
    @Test func `a box opens with its passphrase and no other`() throws {
        let secret = SecretBytes.random(count: 64)
        let passphrase = SecretBytes(Array("correct horse".utf8))
        let box = try SecretBox.seal(secret, passphrase: passphrase, cost: .least)
        #expect(try SecretBox.open(box, passphrase: passphrase).bytes == secret.bytes)
        for wrong in ["", "correct hors", "correct horse "] {
            #expect(throws: SecretBoxError.wrongPassphrase) {
                try SecretBox.open(box, passphrase: SecretBytes(Array(wrong.utf8)))
            }
        }
        // Sealing twice gives two boxes.
        #expect(try SecretBox.seal(secret, passphrase: passphrase, cost: .least) != box)
        let empty = try SecretBox.seal(SecretBytes(count: 0), passphrase: passphrase, cost: .least)
        #expect(try SecretBox.open(empty, passphrase: passphrase).count == 0)
    }

    @Test func `a changed or cut box does not open`() throws {
        let passphrase = SecretBytes(Array("p".utf8))
        let box = try SecretBox.seal(
            SecretBytes(Array("secret".utf8)),
            passphrase: passphrase,
            cost: .least
        )
        for position in box.indices {
            // Cost fields may ask for more memory than a test should take.
            if 8..<16 ~= position { continue }
            var changed = box
            changed[position] ^= 1
            #expect(throws: SecretBoxError.self) {
                try SecretBox.open(changed, passphrase: passphrase)
            }
        }
        for count in [0, 8, 55, 71, box.count - 1] {
            #expect(throws: SecretBoxError.self) {
                try SecretBox.open(Array(box.prefix(count)), passphrase: passphrase)
            }
        }
    }

    @Test func `a box that asks for absurd work is refused at once`() throws {
        let passphrase = SecretBytes(Array("p".utf8))
        let box = try SecretBox.seal(
            SecretBytes(Array("secret".utf8)),
            passphrase: passphrase,
            cost: .least
        )
        for (position, value) in [(8, 0x7f), (12, 0x7f), (11, 0), (15, 0)] as [(Int, UInt8)] {
            var changed = box
            changed[position] = value
            #expect(throws: SecretBoxError.malformed) {
                try SecretBox.open(changed, passphrase: passphrase)
            }
        }
    }

    @Test func `wiped keys are zeros`() {
        let secret = SecretBytes.random(count: 48)
        #expect(secret.bytes != [UInt8](repeating: 0, count: 48))
        secret.wipe()
        #expect(secret.bytes == [UInt8](repeating: 0, count: 48))

        let packet = PacketKey.random()
        packet.wipe()
        for part in [packet.seed, packet.signingKey, packet.scalar] {
            #expect(part.array == [UInt8](repeating: 0, count: part.byteCount))
        }
        let chain = ChainKey.random()
        chain.wipe()
        #expect(chain.secretScalar.array == [UInt8](repeating: 0, count: 32))
    }

    @Test func `a key made from its stored bytes is the same key`() {
        let packet = PacketKey.random()
        let again = PacketKey(seed: packet.seed)
        #expect(again.publicKey == packet.publicKey)
        #expect(again.scalar.array == packet.scalar.array)
        let chain = ChainKey.random()
        #expect(ChainKey(secret: chain.secretScalar)?.address == chain.address)
        #expect(ChainKey.random().address != chain.address)
    }

    @Test func `a stream of randomness depends on its seed alone and does not repeat`() {
        func stream(_ seed: UInt8) -> RandomStreamBox { RandomStreamBox(seed: seed) }
        let (one, same, other) = (stream(1), stream(1), stream(2))
        let first = one.bytes(5_000)
        #expect(first == same.bytes(5_000))
        #expect(first != other.bytes(5_000))
        // In other pieces the same bytes, as far as one block goes.
        let pieces = stream(1)
        #expect(pieces.bytes(100) + pieces.bytes(300) + pieces.bytes(1) == Array(first[..<401]))
        #expect(Set((0..<4_000).map { _ in one.next() }).count == 4_000)
        for _ in 0..<1_000 { #expect(one.next(below: 20) < 20) }
        // Every value comes up.
        #expect(Set((0..<1_000).map { _ in other.next(below: 10) }).count == 10)
    }

    @Test func `mixing something in changes what follows, and the seed is erased`() {
        let (one, two) = (RandomStreamBox(seed: 1), RandomStreamBox(seed: 1))
        #expect(one.seedAfter == [UInt8](repeating: 0, count: 32))
        one.mix([UInt8](repeating: 7, count: 32))
        #expect(one.bytes(64) != two.bytes(64))
    }

    @Test func `what was handed out is no longer in memory`() {
        let box = RandomStreamBox(seed: 3)
        let given = box.bytes(64)
        #expect(!box.state.contains(given[0..<16]))
    }
}

extension [UInt8] {
    fileprivate func contains(_ part: ArraySlice<UInt8>) -> Bool {
        indices.contains { self[$0...].starts(with: part) }
    }
}

/// `RandomStream` is not copyable; a class holds it for the tests.
final class RandomStreamBox {
    private let memory = Memory(RandomStream.byteCount)
    private var stream: RandomStream
    let seedAfter: [UInt8]

    init(seed: UInt8) {
        let start = Memory(32)
        start.region.fill(seed)
        stream = RandomStream(in: memory.region, seed: start.region)
        seedAfter = start.region.array
    }

    var state: [UInt8] { memory.region.array }

    func bytes(_ count: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        result.withRegion { stream.fill($0) }
        return result
    }

    func mix(_ seed: [UInt8]) {
        var seed = seed
        seed.withRegion { stream.mix(seed: $0) }
    }

    func next() -> UInt64 { stream.next() }
    func next(below bound: UInt64) -> UInt64 { stream.next(below: bound) }
}
