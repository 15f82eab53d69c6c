internal import Bytes
internal import Crypto
internal import Sphinx
internal import Tickets

/// Follows a packet from its sender to its destination.
struct JourneyCheck {
    let geometry: Geometry
    let desk: PeelDesk
    let tickets: TicketDesk
    let economics: Economics?
    let sender: Cast.Node
    let path: [Cast.Node]

    /// What one node found, for the acknowledgements.
    struct Stop {
        let node: Cast.Node
        /// Who sent it here and issued the ticket.
        let previous: Address
        let found: PeelDesk.Found
        let ticket: Ticket?
    }

    /// Checks every step; returns what the nodes found, as far as the packet came.
    func follow(_ journey: Field, packet: [UInt8]) -> [Stop] {
        let steps = journey.items
        journey.counts(path.count)
        var stops: [Stop] = []
        var packet = packet
        var previous = sender
        for (index, step) in steps.prefix(path.count).enumerated() {
            let node = path[index]
            step["node"].equals(node.packetKey.publicKey)
            step["previous_node"].equals(previous.packetKey.publicKey)
            step["packet_in"].equals(packet)
            let found = desk.peel(packet, key: node.packetKey)
            guard found.verdict == .none else {
                step.fail("refused as \(found.verdict.code)")
                return stops
            }
            incoming(step, packet, node, found)
            derived(step, packet, found)
            var ticket: Ticket?
            if found.prefix.isFinal {
                step["kind"].equals("final")
                final(step, found)
            } else {
                step["kind"].equals("forwarded")
                guard index + 1 < path.count else {
                    step.fail("is not the destination")
                    return stops
                }
                ticket = Ticket(Array(packet[geometry.ticketOffset...]))
                packet = forward(step, found, node: node, next: path[index + 1], packet, previous)
            }
            stops.append(
                Stop(
                    node: node,
                    previous: previous.chainKey.address,
                    found: found,
                    ticket: ticket
                )
            )
            previous = node
        }
        return stops
    }

    /// Checks the one step of a packet to a neighbour.
    func arrive(_ step: Field, packet: [UInt8]) {
        let node = path[0]
        step["node"].equals(node.packetKey.publicKey)
        step["previous_node"].equals(sender.packetKey.publicKey)
        step["packet_in"].equals(packet)
        let found = desk.peel(packet, key: node.packetKey)
        guard found.verdict == .none, found.prefix.isFinal else {
            return step.fail("does not arrive")
        }
        step["kind"].equals("final")
        incoming(step, packet, node, found)
        derived(step, packet, found)
        final(step, found)
    }

    private func incoming(
        _ step: Field,
        _ packet: [UInt8],
        _ node: Cast.Node,
        _ found: PeelDesk.Found
    ) {
        let alpha = Bytes32(packet[0..<32]) ?? Bytes32()
        let scalar = Bytes32(node.packetKey.scalarBytes) ?? Bytes32()
        let point = Curves.multiply(alpha, by: scalar)
        step["alpha_in"].equals(alpha)
        step["shared_point"].equals(point)
        step["shared_secret"].equals(found.secret)
        let raw = Hash.blake3Derive(
            context: "HASH_KEY_SPHINX_BLINDING",
            material: alpha.array + (point?.array ?? []),
            count: 32
        )
        step["blinding_raw"].equals(raw)
        step["blinding_scalar_le"].equals(Bytes32(raw).map { Curves.clamp($0) })
        step["packet_tag"].equals(found.tag)
        step["header_in"].equals(Array(packet[Geometry.headerOffset..<Geometry.macOffset]))
        step["mac_in"].equals(Array(packet[Geometry.macOffset..<Geometry.payloadOffset]))
        step["payload_in"].equals(Array(packet[Geometry.payloadOffset..<geometry.ticketOffset]))
        let after = found.packet[Geometry.payloadOffset..<geometry.ticketOffset]
        step["payload_after_prp_inverse"].equals(Array(after))
    }

    /// Keys by the one-message functions, beside the batch kernels that the peel used.
    private func derived(_ step: Field, _ packet: [UInt8], _ found: PeelDesk.Found) {
        let secret = found.secret.array
        step["mac_key"].equals(
            Hash.blake3Derive(context: "HASH_KEY_TAG", material: secret, count: 32)
        )
        let prg = Hash.blake3Derive(context: "HASH_KEY_PRG", material: secret, count: 44)
        step["prg_iv"].equals(Array(prg[..<12]))
        step["prg_key"].equals(Array(prg[12...]))
        let prp = Hash.blake3Derive(context: "HASH_KEY_PRP", material: secret, count: 152)
        step["prp_iv"].equals(Array(prp[..<24]))
        step["prp_key"].equals(Array(prp[24...]))
        let stream = Curves.stream(prg, count: Geometry.headerBytes)
        let header = packet[Geometry.headerOffset..<Geometry.macOffset]
        step["header_decrypted"].equals(zip(header, stream).map { $0 ^ $1 })
        let prefix = step["prefix"]
        prefix["byte"].equals([found.prefix.rawValue])
        prefix["version"].equals(found.prefix.version)
        prefix["no_ack"].equals(found.prefix.noAck)
        prefix["is_reply"].equals(found.prefix.reply)
        prefix["path_pos"].equals(found.prefix.pathPosition)
    }

    private func final(_ step: Field, _ found: PeelDesk.Found) {
        step["receiver_data"].equals(found.senderID)
        step["pseudonym"].equals(Array(found.senderID.array.prefix(10)))
        if found.prefix.noAck {
            let ack = step["ack_key_for_previous_hop"]
            ack.expect(ack.isNull, "is not null")
        } else {
            step["ack_key_for_previous_hop"].equals(found.ackHalfKey)
        }
        guard !found.prefix.reply else { return }
        let block = found.packet[Geometry.payloadOffset..<geometry.ticketOffset]
        MessageCheck(geometry: geometry, senderID: found.senderID)
            .check(step, Message.unpack(Array(block), geometry: geometry))
    }

    /// Checks what a relay makes of the packet; returns what it sends on.
    private func forward(
        _ step: Field,
        _ found: PeelDesk.Found,
        node: Cast.Node,
        next: Cast.Node,
        _ packet: [UInt8],
        _ previous: Cast.Node
    ) -> [UInt8] {
        let out = found.packet
        step["header_out"].equals(Array(out[Geometry.headerOffset..<Geometry.payloadOffset]))
        step["alpha_out"].equals(Array(out[..<32]))
        step["next_node"].equals(next.packetKey.publicKey)
        step["next_key_id"].equals(bigEndian(UInt64(found.nextKeyID), 4))
        step["next_key_id"].expect(found.nextKeyID == next.keyID, "is not the next node's")
        step["path_pos"].equals(found.prefix.pathPosition)
        step["por_string"].equals(found.proof)
        step["own_key"].equals(found.ownHalfKey)
        step["own_share"].equals(Curves.generate(found.ownHalfKey)?.compressed)
        step["ack_key_for_previous_hop"].equals(found.ackHalfKey)
        step["ack_challenge_from_next_hop"].equals(found.hint)
        step["next_ticket_challenge"].equals(found.nextChallenge)

        let challenge = Curves.challenge(own: found.ownHalfKey, hint: found.hint)
        let position = found.prefix.pathPosition
        let incoming = tickets.check(
            step["ticket_in"],
            terms: challenge.flatMap {
                economics?.terms(
                    to: node.chainKey.address,
                    relays: position,
                    challenge: $0
                )
            },
            issuer: previous.chainKey
        )
        step["ticket_in"]["challenge"].expect(
            incoming?.challenge == challenge,
            "does not follow from own share and hint"
        )
        step["ticket_in"]["raw"].equals(Array(packet[geometry.ticketOffset...]))
        let outgoing = tickets.check(
            step["ticket_out"],
            terms: economics?.terms(
                to: next.chainKey.address,
                relays: position - 1,
                challenge: found.nextChallenge
            ),
            issuer: node.chainKey
        )
        let whole = Array(out[..<geometry.ticketOffset]) + (outgoing?.bytes.array ?? [])
        step["packet_out"].equals(whole)
        guard whole.count == geometry.packetBytes else { return out }
        return whole
    }
}

/// Compares a message with what a file says of it.
struct MessageCheck {
    let geometry: Geometry
    let senderID: SenderID

    func check(
        _ step: Field,
        _ message: Result<Message.Parts, Message.Refusal>
    ) {
        switch message {
        case .failure(let refusal):
            step["plain_text"].fail("no message: \(refusal.drop.code)")
        case .success(let message):
            step["signals"].equals(message.signal)
            step["plain_text"].equals(message.text)
            step["surbs"].counts(message.surbs.count)
            var id = senderID
            for (index, surb) in message.surbs.enumerated() {
                if index > 0 { id = SenderIDChain.next(id, position: UInt32(index)) }
                step["surbs"][index]["surb_id"].equals(Array(id.array.suffix(8)))
                step["surbs"][index]["surb"].equals(surb)
            }
        }
    }
}
