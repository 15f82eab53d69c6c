import Bytes
import Crypto
import JSON
import Sphinx
import TestSupport
import Testing

private func proofs(_ raw: [[UInt8]]) -> [3 of ProofString] {
    var strings = [3 of ProofString](repeating: ProofString())
    for (index, bytes) in raw.enumerated() {
        guard let string = ProofString(bytes) else { fatalError("proof string") }
        strings[index] = string
    }
    return strings
}

/// The draws of a vector whose use begins with `use`.
private func draws(_ creation: JSON, _ use: String) -> [[UInt8]] {
    creation.list("rng_draws").filter { $0["use"]?.text?.hasPrefix(use) == true }
        .map { $0.hex("hex") }
}

private func derive(_ seed: [UInt8], _ nodes: PathNodes, _ bench: Bench) -> PathSecrets {
    var seed = seed
    return seed.withRegion { Build.derive(seed: $0, nodes: nodes, scratch: bench.build) }
}

@Test(arguments: packetFiles)
func `a path's secrets follow from the published draws`(name: String) throws {
    let file = try Vectors.load(name)
    let bench = Bench(geometry(file))
    let vector = file.object("case")
    let creation = vector.object("creation")
    let cast = Cast(vector.list("nodes"))
    let path = cast.path(vector.list("path").compactMap(\.integer))
    let seed = try #require(draws(creation, "ephemeral scalar seed, forward").first)
    let secrets = derive(seed, path, bench)
    #expect(secrets.count == path.count)
    #expect(secrets.alpha.array == creation.hex("alpha"))
    for node in 0..<path.count {
        #expect(secrets.secrets[node].array == creation.hexes("shared_secrets")[node])
        #expect(secrets.ownHalfKeys[node].array == creation.hexes("own_keys")[node])
        #expect(secrets.ackHalfKeys[node].array == creation.hexes("ack_keys")[node])
    }
}

@Test(arguments: packetFiles)
func `header and payload are built byte for byte`(name: String) throws {
    let file = try Vectors.load(name)
    let bench = Bench(geometry(file))
    let vector = file.object("case")
    let creation = vector.object("creation")
    let cast = Cast(vector.list("nodes"))
    let path = cast.path(vector.list("path").compactMap(\.integer))
    let seed = try #require(draws(creation, "ephemeral scalar seed, forward").first)
    let secrets = derive(seed, path, bench)
    let strings = proofs(creation.list("por_strings").map { $0.hex("raw") })
    var padding = draws(creation, "header padding, forward").first ?? []
    let header = padding.withRegion {
        Build.seal(
            secrets: secrets,
            nodes: path,
            proofs: strings,
            noAck: false,
            reply: false,
            senderID: creation.fixed("sender_id"),
            padding: $0,
            scratch: bench.build
        )
    }
    #expect(header.bytes.array == creation.hex("header"))
    #expect(header.mac.array == creation.hex("header_mac"))
    var payload = creation.hex("padded_payload")
    payload.withRegion { Build.encrypt(payload: $0, secrets: secrets, scratch: bench.build) }
    #expect(payload == creation.hex("encrypted_payload"))
}

@Test(arguments: packetFiles)
func `a SURB's secrets and a reply are built byte for byte`(name: String) throws {
    let file = try Vectors.load(name)
    let bench = Bench(geometry(file))
    let vector = file.object("case")
    let creation = vector.object("creation")
    let cast = Cast(vector.list("nodes"))
    let seeds = draws(creation, "ephemeral scalar seed, return")
    let ids = creation.hexes("receiver_data_sequence")
    for (index, surb) in creation.list("surbs").enumerated() {
        let indices = vector.list("return_paths")[index].elements?.compactMap(\.integer) ?? []
        let secrets = derive(seeds[index], cast.path(indices), bench)
        #expect(secrets.alpha.array == surb.hex("alpha"))
        for (node, secret) in surb.hexes("opener_shared_secrets").enumerated() {
            #expect(secrets.secrets[node].array == secret)
        }
        var raw = surb.hex("raw")
        let parsed = raw.withRegion { SURB($0) }
        #expect(parsed.header.bytes.array == surb.hex("header"))
        #expect(parsed.senderKey.array == surb.hex("sender_key"))
        var written = [UInt8](repeating: 0xff, count: raw.count)
        written.withRegion { parsed.write(to: $0) }
        #expect(written == raw)
        let padding = draws(creation, "header padding, return")
        #expect(padding.count <= seeds.count)
        for reply in vector.list("replies") where reply["surb_index"]?.integer == index {
            let id = try #require(SenderID(ids[index]))
            let text = Message.encode(
                signal: .low,
                surbs: [],
                text: reply.hex("message")
            )
            var payload = [UInt8](repeating: 0, count: bench.geometry.payloadBytes)
            payload.withRegion { block in
                var text = text
                text.withRegion { Padding.pad($0, into: block) }
                Reply.encrypt(
                    payload: block,
                    surbSenderID: id,
                    senderKey: parsed.senderKey,
                    scratch: bench.build
                )
            }
            let packet = reply.hex("packet")
            #expect(
                payload
                    == Array(packet[Geometry.payloadOffset..<bench.geometry.ticketOffset])
            )
        }
    }
}

@Test(arguments: profiles)
func `acknowledgement packets are built byte for byte`(profile: String) throws {
    let file = try Vectors.load("hopr/ack-packets-\(profile).json")
    let bench = Bench(geometry(file))
    for vector in file.list("cases") {
        let cast = Cast(vector.list("nodes"))
        let drawn = vector.hexes("rng_draws", member: "hex")
        var random = drawn.flatMap { $0 }
        random.replaceSubrange(52..<62, with: vector.hex("pseudonym"))
        #expect(random.count == AckPacket.randomBytes)
        let text = vector.hex("payload")
        let receive = vector.object("receive")
        let to = try #require(cast.key(receive.hex("node")))
        var packet = [UInt8](repeating: 0xcc, count: bench.geometry.packetBytes)
        var challenge = Address()
        let made = packet.withRegion { packet in
            AckPacket.text(in: packet, count: text.count, geometry: bench.geometry)
                .store(bytes: text, 0)
            return random.withRegion {
                AckPacket.seal(
                    packet,
                    textBytes: text.count,
                    to: to.publicKey,
                    random: $0,
                    geometry: bench.geometry,
                    scratch: bench.build,
                    challenge: &challenge
                )
            }
        }
        #expect(made)
        #expect(challenge.array == drawn[1])
        let expected = vector.hex("packet")
        #expect(packet[..<bench.geometry.ticketOffset] == expected[..<bench.geometry.ticketOffset])

        let (verdict, after) = bench.peel(expected, key: to)
        #expect(verdict == .none)
        #expect(bench.scratch.prefix[0].noAck && bench.scratch.prefix[0].isFinal)
        let payload = Array(after[Geometry.payloadOffset..<bench.geometry.ticketOffset])
        #expect(payload == receive.hex("payload_after_prp_inverse"))
        let message = try Message.unpack(payload, geometry: bench.geometry).get()
        #expect(message.text == receive.hex("plain_text"))
        #expect(message.text == text)
    }
}

extension JSON {
    fileprivate func hexes(_ name: String, member: String) -> [[UInt8]] {
        list(name).map { $0.hex(member) }
    }
}

@Test func `a public key that is no point builds nothing`() {
    let bench = Bench(.head)
    var path = PathNodes()
    var key = Bytes32()
    key[0] = 2
    let first = path.append(keyID: 1, publicKey: key)
    #expect(first)
    #expect(derive([UInt8](repeating: 7, count: 32), path, bench).count == 0)
    for _ in 0..<3 {
        let more = path.append(keyID: 1, publicKey: key)
        #expect(more)
    }
    let fifth = path.append(keyID: 1, publicKey: key)
    #expect(!fifth)
}

@Test(arguments: profiles)
func `sender ids follow the published chain`(profile: String) throws {
    let file = try Vectors.load("hopr/primitives-\(profile).json")
    for vector in file.object("vectors").list("sender_id_sequence") {
        let sequence = vector.hexes("sequence")
        var id: SenderID = vector.fixed("first")
        #expect(id.array == sequence[0])
        for position in 1..<sequence.count {
            id = SenderIDChain.next(id, position: UInt32(position))
            #expect(id.array == sequence[position])
        }
    }
}
