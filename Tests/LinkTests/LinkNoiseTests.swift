import Bytes
import Crypto
import JSON
import TestSupport
import Testing

@testable import Link

/// Both sides of one handshake, each with memory of its own.
private struct Conversation {
    let memory = Memory(2 * NoiseIK.byteCount)
    let initiator: LinkIdentity
    let responder: LinkIdentity
    let ephemerals: [Memory]
    let prologue: Memory

    init(_ secrets: [[UInt8]], prologue: [UInt8]) {
        initiator = identity(secrets[0])
        responder = identity(secrets[1])
        ephemerals = [bytes(secrets[2]), bytes(secrets[3])]
        self.prologue = bytes(prologue)
    }

    init(_ vector: JSON) {
        let names = ["init_static", "resp_static", "init_ephemeral", "resp_ephemeral"]
        self.init(names.map { vector.hex($0) }, prologue: vector.hex("prologue"))
    }

    func half(_ side: Int) -> Region {
        memory.region.slice(side * NoiseIK.byteCount, NoiseIK.byteCount)
    }

    func begin(_ side: Int) {
        _ = NoiseIK(in: half(side), prologue: prologue.region, responder: responder.publicKey)
    }

    func writeInitiation(_ payload: [UInt8]) -> [UInt8]? {
        begin(0)
        var payload = payload
        var out = [UInt8](repeating: 0, count: payload.count + NoiseIK.initiationBytes)
        let isWritten = payload.withRegion { payload in
            out.withRegion { out in
                NoiseIK(resuming: half(0)).writeInitiation(
                    payload,
                    ephemeral: ephemerals[0].region,
                    identity: initiator,
                    responder: responder.publicKey,
                    into: out
                )
            }
        }
        return isWritten ? out : nil
    }

    /// The payload, if the responder takes the message.
    func readInitiation(_ message: [UInt8]) -> [UInt8]? {
        begin(1)
        var message = message
        var out = [UInt8](repeating: 0, count: message.count - NoiseIK.initiationBytes)
        let noise = NoiseIK(resuming: half(1))
        let isRead = message.withRegion { message in
            out.withRegion {
                noise.readStatic(message, identity: responder)
                    && noise.readPayload(message, identity: responder, into: $0)
            }
        }
        return isRead ? out : nil
    }

    func writeResponse(_ payload: [UInt8]) -> [UInt8]? {
        var payload = payload
        var out = [UInt8](repeating: 0, count: payload.count + NoiseIK.responseBytes)
        let isWritten = payload.withRegion { payload in
            out.withRegion { out in
                NoiseIK(resuming: half(1)).writeResponse(
                    payload,
                    ephemeral: ephemerals[1].region,
                    into: out
                )
            }
        }
        return isWritten ? out : nil
    }

    /// The payload, if the initiator takes the message; its state is as before if not.
    func readResponse(_ message: [UInt8]) -> [UInt8]? {
        var message = message
        var out = [UInt8](repeating: 0, count: message.count - NoiseIK.responseBytes)
        let copy = Memory(NoiseIK.byteCount)
        NoiseIK(resuming: half(0)).copy(to: copy.region)
        let isRead = message.withRegion { message in
            out.withRegion {
                NoiseIK(resuming: copy.region).readResponse(message, identity: initiator, into: $0)
            }
        }
        if isRead { half(0).copy(copy.region, to: 0) }
        return isRead ? out : nil
    }

    func keys(_ side: Int) -> [UInt8] {
        let keys = Memory(64)
        NoiseIK(resuming: half(side)).split(into: keys.region, isInitiator: side == 0)
        return keys.region.array
    }
}

private func bytes(_ bytes: [UInt8]) -> Memory {
    let memory = Memory(bytes.count)
    memory.region.store(bytes: bytes, 0)
    return memory
}

private func identity(_ secret: [UInt8]) -> LinkIdentity {
    var secret = secret
    return secret.withRegion { LinkIdentity(secret: $0) }
}

@Suite struct LinkNoiseTests {
    static func vectors() throws -> [JSON] {
        try Vectors.load("noise/ik-25519-chachapoly-blake2b.json").list("vectors")
    }

    @Test func `published conversations come out byte for byte`() throws {
        let vectors = try LinkNoiseTests.vectors()
        #expect(vectors.count == 2)
        for vector in vectors {
            let talk = Conversation(vector)
            let messages = vector.list("messages")
            #expect(talk.responder.publicKey.array == vector.hex("init_remote_static"))
            let first = talk.writeInitiation(messages[0].hex("payload"))
            #expect(first == messages[0].hex("ciphertext"))
            let firstPayload = talk.readInitiation(messages[0].hex("ciphertext"))
            #expect(firstPayload == messages[0].hex("payload"))
            let remote = NoiseIK(resuming: talk.half(1)).remoteStatic.array
            #expect(remote == talk.initiator.publicKey.array)
            let second = talk.writeResponse(messages[1].hex("payload"))
            #expect(second == messages[1].hex("ciphertext"))
            let secondPayload = talk.readResponse(messages[1].hex("ciphertext"))
            #expect(secondPayload == messages[1].hex("payload"))
            let hashes = (0..<2).map { NoiseIK(resuming: talk.half($0)).handshakeHash.array }
            #expect(hashes[0] == hashes[1])
            if vector["handshake_hash"] != nil {
                #expect(hashes[0] == vector.hex("handshake_hash"))
            }
            checkTransport(Array(messages[2...]), talk.keys(0), talk.keys(1))
        }
    }

    /// Transport messages alternate, beginning with the initiator's.
    private func checkTransport(_ messages: [JSON], _ here: [UInt8], _ there: [UInt8]) {
        #expect(here == Array(there[32...] + there[..<32]))
        for (place, message) in messages.enumerated() {
            var key = Array((place % 2 == 0 ? here : there)[..<32])
            var text = message.hex("payload")
            var out = [UInt8](repeating: 0, count: text.count + 16)
            key.withRegion { key in
                text.withRegion { text in
                    out.withRegion {
                        ChaChaPoly.seal(
                            text,
                            data: .nowhere,
                            key: key,
                            counter: UInt64(place / 2),
                            into: $0
                        )
                    }
                }
            }
            #expect(out == message.hex("ciphertext"))
        }
    }

    @Test func `random conversations end with the same keys on both sides`() {
        var random = SeededGenerator("noise")
        for _ in 0..<8 {
            let talk = Conversation(
                (0..<4).map { _ in random.bytes(32) },
                prologue: random.bytes(9)
            )
            let payloads = [random.bytes(32), random.bytes(16)]
            let first = talk.writeInitiation(payloads[0])
            let read = first.flatMap { talk.readInitiation($0) }
            #expect(read == payloads[0])
            let second = talk.writeResponse(payloads[1])
            let answer = second.flatMap { talk.readResponse($0) }
            #expect(answer == payloads[1], "seed \(random.seed)")
            let (here, there) = (talk.keys(0), talk.keys(1))
            #expect(here[..<32] == there[32...] && here[32...] == there[..<32])
            #expect(here[..<32] != here[32...])
        }
    }

    @Test func `a flipped bit in any byte of either message is refused`() throws {
        let vector = try LinkNoiseTests.vectors()[0]
        let messages = vector.list("messages")
        let talk = Conversation(vector)
        let first = messages[0].hex("ciphertext")
        for byte in first.indices {
            var bad = first
            bad[byte] ^= 1 << (byte % 8)
            let read = talk.readInitiation(bad)
            // The top bit of a coordinate is masked, and the hash still sees it.
            #expect(read == nil, "byte \(byte)")
        }
        _ = talk.writeInitiation(messages[0].hex("payload"))
        _ = talk.readInitiation(first)
        let second = messages[1].hex("ciphertext")
        for byte in second.indices {
            var bad = second
            bad[byte] ^= 1 << (byte % 8)
            let read = talk.readResponse(bad)
            #expect(read == nil, "byte \(byte)")
        }
        let read = talk.readResponse(second)
        #expect(read == messages[1].hex("payload"))
    }

    @Test func `a message cut off anywhere is refused`() throws {
        let vector = try LinkNoiseTests.vectors()[0]
        let first = vector.list("messages")[0].hex("ciphertext")
        let talk = Conversation(vector)
        for count in NoiseIK.initiationBytes..<first.count {
            let read = talk.readInitiation(Array(first[..<count]))
            #expect(read == nil)
        }
    }

    @Test func `another prologue, responder or initiator's secret is refused`() {
        var random = SeededGenerator("noise prologue")
        let secrets = (0..<4).map { _ in random.bytes(32) }
        let talk = Conversation(secrets, prologue: [1, 2, 3])
        guard let first = talk.writeInitiation([9]) else {
            Issue.record("not written")
            return
        }
        let other = Conversation(secrets, prologue: [1, 2, 4])
        let byPrologue = other.readInitiation(first)
        #expect(byPrologue == nil)
        var wrong = secrets
        wrong[1] = random.bytes(32)
        let elsewhere = Conversation(wrong, prologue: [1, 2, 3])
        let byResponder = elsewhere.readInitiation(first)
        #expect(byResponder == nil)
        let read = talk.readInitiation(first)
        #expect(read == [9])
    }

    /// Points whose multiples tell nothing: orders 1, 2, 4 and 8, and non-canonical writings.
    static let lowOrder: [[UInt8]] = [
        [UInt8](repeating: 0, count: 32),
        [1] + [UInt8](repeating: 0, count: 31),
        Hex.decode("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800") ?? [],
        Hex.decode("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157") ?? [],
        Hex.decode("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f") ?? [],
        Hex.decode("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f") ?? [],
        Hex.decode("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f") ?? [],
    ]

    @Test(arguments: LinkNoiseTests.lowOrder)
    func `points of small order are refused as ephemeral and as static keys`(point: [UInt8]) {
        var random = SeededGenerator("low order")
        let talk = Conversation((0..<4).map { _ in random.bytes(32) }, prologue: [])
        var point = point
        var secret = random.bytes(32)
        var shared = [UInt8](repeating: 0, count: 32)
        let isShared = point.withRegion { point in
            secret.withRegion { secret in
                shared.withRegion { X25519.share(secret: secret, publicKey: point, into: $0) }
            }
        }
        #expect(!isShared)
        guard var first = talk.writeInitiation([5]) else {
            Issue.record("not written")
            return
        }
        first.replaceSubrange(0..<32, with: point)
        let read = talk.readInitiation(first)
        #expect(read == nil)
        var out = [UInt8](repeating: 0, count: 97)
        var payload: [UInt8] = [5]
        let isWritten = point.withRegion { point in
            payload.withRegion { payload in
                out.withRegion { out in
                    secret.withRegion {
                        NoiseIK(in: talk.half(0), prologue: .nowhere, responder: point)
                            .writeInitiation(
                                payload,
                                ephemeral: $0,
                                identity: talk.initiator,
                                responder: point,
                                into: out
                            )
                    }
                }
            }
        }
        #expect(!isWritten)
    }

    @Test func `an identity is the packet key on the other curve`() {
        let key = PacketKey.random()
        let identity = LinkIdentity(key)
        #expect(X25519.publicKey(ofPacketKey: key.publicKey)?.array == identity.publicKey.array)
        // Neither the neutral element nor a point outside the prime-order group is a key.
        var neutral = Bytes32()
        neutral[0] = 1
        #expect(X25519.publicKey(ofPacketKey: neutral) == nil)
        #expect(X25519.publicKey(ofPacketKey: Bytes32()) == nil)
    }
}
