import Bytes
import Crypto
import JSON
import Sphinx
import TestSupport
import Testing

/// Follows a packet from node to node and compares all that a node learns.
private func follow(_ journey: [JSON], cast: Cast, bench: Bench) throws {
    for (position, step) in journey.enumerated() {
        let key = try #require(cast.key(step.hex("node")))
        let (verdict, packet) = bench.peel(step.hex("packet_in"), key: key)
        #expect(verdict == .none)
        let scratch = bench.scratch
        #expect(scratch.secret[0].array == step.hex("shared_secret"))
        #expect(scratch.tag[0].array == step.hex("packet_tag"))
        let prefix = scratch.prefix[0]
        let expected = step.object("prefix")
        #expect([prefix.rawValue] == expected.hex("byte"))
        #expect(prefix.noAck == expected["no_ack"]?.bool)
        #expect(prefix.reply == expected["is_reply"]?.bool)
        #expect(prefix.pathPosition == expected["path_pos"]?.integer)
        let payload = Array(packet[Geometry.payloadOffset..<bench.geometry.ticketOffset])
        #expect(payload == step.hex("payload_after_prp_inverse"))
        if step["kind"]?.text == "forwarded" {
            #expect(!prefix.isFinal)
            #expect(scratch.proof[0].array == step.hex("por_string"))
            let keyID = step.hex("next_key_id").reduce(0) { $0 << 8 | UInt32($1) }
            #expect(scratch.nextKeyID[0] == keyID)
            #expect(scratch.ownHalfKey[0].array == step.hex("own_key"))
            // All but the ticket, which is not ours to write.
            let out = step.hex("packet_out")
            #expect(packet[..<bench.geometry.ticketOffset] == out[..<bench.geometry.ticketOffset])
            #expect(position + 1 < journey.count)
        } else {
            #expect(prefix.isFinal)
            #expect(scratch.senderID[0].array == step.hex("receiver_data"))
            #expect(position + 1 == journey.count)
        }
        if step["ack_key_for_previous_hop"]?.text != nil {
            #expect(scratch.ackHalfKey[0].array == step.hex("ack_key_for_previous_hop"))
        }
    }
}

@Test(arguments: packetFiles)
func `every node of a published packet finds what the vector says`(name: String) throws {
    let file = try Vectors.load(name)
    let bench = Bench(geometry(file))
    let vector = file.object("case")
    let cast = Cast(vector.list("nodes"))
    try follow(vector.list("journey"), cast: cast, bench: bench)
    for reply in vector.list("replies") {
        try follow(reply.list("journey"), cast: cast, bench: bench)
    }
}

@Test(arguments: packetFiles)
func `the destination of a published packet reads the message`(name: String) throws {
    let file = try Vectors.load(name)
    let geometry = geometry(file)
    let vector = file.object("case")
    let last = try #require(vector.list("journey").last)
    let message = try Message.unpack(
        last.hex("payload_after_prp_inverse"),
        geometry: geometry
    ).get()
    #expect(message.text == last.hex("plain_text"))
    #expect(Int(message.signal) == last["signals"]?.integer)
    let surbs = vector.object("creation").list("surbs")
    #expect(message.surbs == surbs.map { $0.hex("raw") })
}

@Test(arguments: packetFiles)
func `a SURB's maker reads the reply`(name: String) throws {
    let file = try Vectors.load(name)
    let bench = Bench(geometry(file))
    let vector = file.object("case")
    let creation = vector.object("creation")
    let surbs = creation.list("surbs")
    let ids = creation.hexes("receiver_data_sequence")
    for reply in vector.list("replies") {
        let index = try #require(reply["surb_index"]?.integer)
        let surb = surbs[index]
        var opener = ReplyOpener()
        opener.senderID = try #require(SenderID(ids[index]))
        opener.senderKey = surb.fixed("sender_key")
        let secrets = surb.hexes("opener_shared_secrets")
        opener.count = secrets.count
        for (node, secret) in secrets.enumerated() {
            opener.secrets[node] = try #require(Bytes32(secret))
        }
        let last = try #require(reply.list("journey").last)
        #expect(last.hex("receiver_data") == ids[index])
        var payload = last.hex("payload_after_prp_inverse")
        payload.withRegion { Reply.open(payload: $0, opener: opener, scratch: bench.build) }
        let message = try Message.unpack(payload, geometry: bench.geometry).get()
        #expect(message.text == reply.hex("message"))
        #expect(Int(message.signal) == reply["signals"]?.integer)
    }
}

@Test(arguments: profiles)
func `published negatives end where they should`(profile: String) throws {
    let file = try Vectors.load("hopr/negative-\(profile).json")
    let bench = Bench(geometry(file))
    let set = file.object("set")
    let cast = Cast(set.list("nodes"))
    let key = cast.keys[try #require(set["receiver_node_index"]?.integer)]
    let expected: [String: Drop] = [
        "alpha-bit": .headerMac, "header-bit-first": .headerMac, "header-bit-last": .headerMac,
        "mac-bit": .headerMac, "wrong-node": .headerMac, "alpha-identity": .alphaNeutral,
        "alpha-not-a-point": .alphaInvalid, "forged-version-2": .headerVersion,
        "forged-version-0": .headerVersion,
    ]
    for item in set.list("cases") {
        let name = try #require(item["name"]?.text)
        let packet = item.hex("packet")
        guard packet.count == bench.geometry.packetBytes else { continue }
        // The one that only another node refuses.
        let receiver = name == "wrong-node" ? cast.keys[2] : key
        let (verdict, after) = bench.peel(packet, key: receiver)
        switch name {
        case "alpha-bit":
            #expect(verdict == .headerMac || verdict == .alphaInvalid, "\(name)")
        case "alpha-identity":
            // Without the check for the neutral element the MAC catches it.
            let refuses = bench.geometry.refusesNeutralAlpha
            #expect(verdict == (refuses ? .alphaNeutral : .headerMac), "\(name)")
        default:
            #expect(verdict == expected[name] ?? .none, "\(name)")
        }
        if verdict != .none { #expect(after == packet, "\(name) was written to") }
    }
}
