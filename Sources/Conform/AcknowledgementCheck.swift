internal import Bytes
internal import Crypto
internal import Sphinx
internal import Tickets

/// The acknowledgements that a packet's relays get, and whether their tickets win.
struct AcknowledgementCheck {
    let tickets: TicketDesk

    func check(_ field: Field, _ stops: [JourneyCheck.Stop]) {
        field.counts(max(0, stops.count - 1))
        for index in 0..<max(0, stops.count - 1) {
            check(field[index], relay: stops[index], next: stops[index + 1])
        }
    }

    private func check(
        _ field: Field,
        relay: JourneyCheck.Stop,
        next: JourneyCheck.Stop
    ) {
        let (own, ack) = (relay.found.ownHalfKey, next.found.ackHalfKey)
        field["acknowledger"].equals(next.node.packetKey.publicKey)
        field["ack_key"].equals(ack)
        let point = Curves.generate(ack)?.compressed
        field["ack_challenge"].equals(point)
        field["ack_challenge"].expect(point == relay.found.hint, "is not the hint")
        field["acknowledgement"].acknowledgement(halfKey: ack, by: next.node.packetKey)
        field["own_key"].equals(own)
        let response = Curves.add(own, ack)
        field["response"].equals(response)
        field["response_challenge"].equals(
            response.flatMap { Curves.generate($0) }?.address
        )
        guard let ticket = relay.ticket, let response else {
            field["ticket_hash"].fail("has no ticket")
            return
        }
        field["response_challenge"].equals(ticket.challenge)
        let hash = tickets.hash(ticket, issuer: relay.previous)
        field["ticket_hash"].equals(hash)
        let value = VRF.value(key: relay.node.chainKey, hash: hash, domain: tickets.domain)
        field["vrf_v_xy"].equals(value)
        let material = hash.array + value.array + response.array + ticket.signature.array
        field["luck_hash"].equals(Hash.keccak256(material))
        let luck = Luck.vrf(
            hash: hash,
            value: value,
            response: response,
            signature: ticket.signature
        )
        field["luck56"].equals(bigEndian(luck, 7))
        field["win_prob"].equals(bigEndian(ticket.winProbability.rawValue, 7))
        field["winning"].equals(ticket.winProbability.wins(luck))
    }
}

extension Field {
    /// An acknowledgement by a node, made anew and verified.
    func acknowledgement(halfKey: Bytes32, by key: PacketKey) {
        let signature = key.sign(halfKey.array)
        equals(halfKey.array + signature.array)
        guard let bytes = bytes(Geometry.ackBytes) else { return }
        expect(
            Ed25519.verify(
                Array(bytes[..<32]),
                signature: Bytes64(bytes[32...]) ?? Bytes64(),
                signer: key.publicKey
            ),
            "is not signed by the acknowledger"
        )
    }
}

/// A published packet that carries acknowledgements.
struct AckPacketCheck {
    let geometry: Geometry
    private let memory: Memory
    private let scratch: BuildScratch

    init(_ geometry: Geometry) {
        self.geometry = geometry
        var measure = Arena()
        _ = BuildScratch(&measure)
        memory = Memory(measure.used)
        var arena = Arena(memory.region)
        scratch = BuildScratch(&arena)
    }

    func check(_ field: Field) {
        guard let cast = Cast(field["nodes"]), let domain = field["domain_separator"].bytes32()
        else { return }
        guard cast.nodes.count == 2 else { return field["nodes"].fail("are not two") }
        let (sender, receiver) = (cast.nodes[0], cast.nodes[1])
        let keys = field["ack_keys"].items.compactMap { $0.bytes32() }
        guard keys.count <= geometry.ackCapacity else {
            return field["ack_keys"].fail("do not fit a packet")
        }
        field["ack_challenges"].counts(keys.count)
        field["acknowledgements"].counts(keys.count)
        var text = bigEndian(UInt64(keys.count), 2)
        for (index, key) in keys.enumerated() {
            field["ack_challenges"][index].equals(Curves.generate(key)?.compressed)
            field["acknowledgements"][index].acknowledgement(
                halfKey: key,
                by: sender.packetKey
            )
            text += key.array + sender.packetKey.sign(key.array).array
        }
        field["payload"].equals(text)
        guard let (packet, challenge) = build(field, text, receiver) else { return }
        let tickets = TicketDesk(domain: domain, selector: geometry.ticketSelector)
        let terms = TicketTerms.zeroHop(to: receiver.chainKey.address, challenge: challenge)
        guard let ticket = tickets.sign(terms, key: sender.chainKey) else { return }
        let whole = Array(packet[..<geometry.ticketOffset]) + ticket.bytes.array
        field["packet"].equals(whole)
        JourneyCheck(
            geometry: geometry,
            desk: PeelDesk(geometry),
            tickets: tickets,
            economics: nil,
            sender: sender,
            path: [receiver]
        ).arrive(field["receive"], packet: whole)
        read(field, whole, receiver, keys)
    }

    private func build(
        _ field: Field,
        _ text: [UInt8],
        _ receiver: Cast.Node
    ) -> (packet: [UInt8], challenge: Address)? {
        guard let pseudonym = field["pseudonym"].bytes(10) else { return nil }
        var random = Draws(field["rng_draws"]).all
        guard random.count == AckPacket.randomBytes else {
            field["rng_draws"].fail("are not \(AckPacket.randomBytes) bytes")
            return nil
        }
        random.replaceSubrange(52..<62, with: pseudonym)
        var packet = [UInt8](repeating: 0, count: geometry.packetBytes)
        var challenge = Address()
        let made = packet.withRegion { packet in
            AckPacket.text(in: packet, count: text.count, geometry: geometry)
                .store(bytes: text, 0)
            return random.withRegion {
                AckPacket.seal(
                    packet,
                    textBytes: text.count,
                    to: receiver.packetKey.publicKey,
                    random: $0,
                    geometry: geometry,
                    scratch: scratch,
                    challenge: &challenge
                )
            }
        }
        return made ? (packet, challenge) : nil
    }

    /// The receiver reads as many acknowledgements as were sent.
    private func read(
        _ field: Field,
        _ packet: [UInt8],
        _ receiver: Cast.Node,
        _ keys: [Bytes32]
    ) {
        let found = PeelDesk(geometry).peel(packet, key: receiver.packetKey)
        let block = found.packet[Geometry.payloadOffset..<geometry.ticketOffset]
        guard case .success(var message) = Message.unpack(Array(block), geometry: geometry) else {
            return field["payload"].fail("does not arrive")
        }
        let read = message.text.withRegion { text in
            Acknowledgements.parse(text).map { parsed in
                (0..<parsed.count).map { Array(parsed[$0].array.prefix(32)) }
            }
        }
        field["payload"].expect(read == keys.map { $0.array }, "is not read back")
    }
}
