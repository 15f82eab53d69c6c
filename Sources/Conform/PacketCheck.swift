internal import Bytes
internal import Crypto
internal import Gateway
internal import Sphinx
internal import Tickets

/// One published packet: how it is made, its journey, its acknowledgements, the replies to it.
struct PacketCheck {
    let geometry: Geometry
    let desk: PeelDesk
    let factory: PacketFactory

    init(_ geometry: Geometry) {
        self.geometry = geometry
        desk = PeelDesk(geometry)
        factory = PacketFactory(geometry: geometry)
    }

    func check(_ field: Field) {
        guard let cast = Cast(field["nodes"]), let domain = field["domain_separator"].bytes32(),
            let sender = cast.node(field["sender"]), let path = cast.path(field["path"])
        else { return }
        field["hops"].equals(path.count - 1)
        let returns = field["return_paths"].items.compactMap { cast.path($0) }
        field["return_paths"].counts(returns.count)
        let run = Run(
            field: field,
            cast: cast,
            sender: sender,
            path: path,
            returns: returns,
            economics: Economics(field["economics"]),
            tickets: TicketDesk(domain: domain, selector: geometry.ticketSelector)
        )
        guard let made = create(run) else { return }
        let journey = JourneyCheck(
            geometry: geometry,
            desk: desk,
            tickets: run.tickets,
            economics: run.economics,
            sender: sender,
            path: path
        )
        let stops = journey.follow(field["journey"], packet: made.packet)
        AcknowledgementCheck(tickets: run.tickets).check(field["acknowledgements"], stops)
        replies(run, made)
    }

    /// What the checks of one case share.
    struct Run {
        let field: Field
        let cast: Cast
        let sender: Cast.Node
        let path: [Cast.Node]
        let returns: [[Cast.Node]]
        let economics: Economics?
        let tickets: TicketDesk
    }

    /// Builds the packet from the published draws; nil if that cannot be done.
    private func create(_ run: Run) -> PacketFactory.Made? {
        let creation = run.field["creation"]
        guard let pseudonym: Pseudonym = creation["pseudonym"].fixed(),
            let text = creation["message"].bytes(), let signal = creation["signals"].signal()
        else { return nil }
        let draws = Draws(creation["rng_draws"])
        let request = PacketFactory.Request(
            pseudonym: pseudonym,
            forward: run.path.pathNodes,
            returns: run.returns.map(\.pathNodes),
            signal: signal,
            text: text
        )
        let made: PacketFactory.Made
        do {
            made = try factory.message(request) { draws.take($0) }
        } catch {
            creation.fail("cannot be built: \(error)")
            return nil
        }
        draws.finish()
        compare(creation, made, run, draws)
        return sign(creation, made, run, issuer: run.sender, first: run.path[0])
    }

    private func compare(
        _ creation: Field,
        _ made: PacketFactory.Made,
        _ run: Run,
        _ draws: Draws
    ) {
        let details = made.details
        creation["ephemeral_scalar_le"].equals(
            Bytes32(draws.first).map { Curves.clamp($0) }
        )
        creation["alpha"].equals(details.secrets.alpha)
        let count = run.path.count
        for name in ["shared_secrets", "own_keys", "ack_keys"] { creation[name].counts(count) }
        for node in 0..<count {
            creation["shared_secrets"][node].equals(details.secrets.secrets[node])
            creation["own_keys"][node].equals(details.secrets.ownHalfKeys[node])
            creation["ack_keys"][node].equals(details.secrets.ackHalfKeys[node])
        }
        creation["por_values"].proofValues(details.plan.values)
        creation["por_strings"].counts(count - 1)
        for node in 0..<count - 1 {
            let string = details.plan.strings[node]
            let field = creation["por_strings"][node]
            field["raw"].equals(string)
            field["next_ticket_challenge"].equals(Array(string.array.prefix(20)))
            field["hint"].equals(Array(string.array.suffix(33)))
        }
        creation["sender_id"].equals(details.senderIDs[0])
        creation["receiver_data_sequence"].counts(details.senderIDs.count)
        for (index, id) in details.senderIDs.enumerated() {
            creation["receiver_data_sequence"][index].equals(id)
        }
        let packet = made.packet
        creation["header"].equals(Array(packet[Geometry.headerOffset..<Geometry.macOffset]))
        creation["header_mac"].equals(Array(packet[Geometry.macOffset..<Geometry.payloadOffset]))
        creation["padded_payload"].equals(details.padded)
        creation["encrypted_payload"].equals(
            Array(packet[Geometry.payloadOffset..<geometry.ticketOffset])
        )
        creation["first_hop"].equals(run.path[0].packetKey.publicKey)
        creation["surbs"].counts(made.openers.count)
        for (index, opener) in made.openers.enumerated() {
            surb(creation["surbs"][index], index, details.surbs[index], opener)
        }
    }

    private func surb(_ field: Field, _ index: Int, _ raw: [UInt8], _ opener: ReplyOpener) {
        field["return_path"].equals(index)
        field["surb_id"].equals(Array(opener.senderID.array.suffix(8)))
        field["raw"].equals(raw)
        field["first_relayer_key_id"].equals(Array(raw[0..<4]))
        field["alpha"].equals(Array(raw[4..<36]))
        field["header"].equals(Array(raw[36..<277]))
        field["header_mac"].equals(Array(raw[277..<293]))
        field["sender_key"].equals(Array(raw[293..<309]))
        field["por_values"].proofValues(ProofValues(raw[309..<363]) ?? ProofValues())
        field["reserved32"].equals(Array(raw[363..<395]))
        field["opener_shared_secrets"].counts(opener.count)
        for node in 0..<opener.count {
            field["opener_shared_secrets"][node].equals(opener.secrets[node])
        }
    }

    /// Adds the first ticket and compares the whole packet.
    private func sign(
        _ field: Field,
        _ made: PacketFactory.Made,
        _ run: Run,
        issuer: Cast.Node,
        first: Cast.Node
    ) -> PacketFactory.Made? {
        let ticket = run.tickets.check(
            field["ticket"],
            terms: run.economics?.terms(
                to: first.chainKey.address,
                relays: made.nodeCount - 1,
                challenge: made.ticketChallenge
            ),
            issuer: issuer.chainKey
        )
        field["ack_challenge"].equals(made.ackChallenge)
        var whole = made
        guard let ticket else { return nil }
        whole.packet.replaceSubrange(geometry.ticketOffset..., with: ticket.bytes.array)
        field["packet"].equals(whole.packet)
        return whole
    }
}

// MARK: - Replies

extension PacketCheck {
    private func replies(_ run: Run, _ made: PacketFactory.Made) {
        let replies = run.field["replies"]
        for reply in replies.items {
            guard let index = reply["surb_index"].integer() else { continue }
            guard made.openers.indices.contains(index) else {
                reply["surb_index"].fail("no such SURB")
                continue
            }
            self.reply(reply, index, run, made)
        }
    }

    private func reply(_ field: Field, _ index: Int, _ run: Run, _ made: PacketFactory.Made) {
        let opener = made.openers[index]
        let raw = made.details.surbs[index]
        guard let text = field["message"].bytes(), let signal = field["signals"].signal(),
            let replier = run.cast.node(field["sender"]),
            let path = run.cast.path(field["return_path"])
        else { return }
        field["sender"].expect(
            replier.keyID == run.path.last?.keyID,
            "is not the packet's destination"
        )
        field["return_path"].expect(
            path.map(\.keyID) == run.returns[index].map(\.keyID),
            "is not the SURB's"
        )
        field["surb_id"].equals(Array(opener.senderID.array.suffix(8)))
        field["reply_prp_salt"].equals(opener.senderID)
        let material = Hash.blake3Derive(
            context: "HASH_KEY_REPLY_PRP",
            material: opener.senderID.array + opener.senderKey.array,
            count: 152
        )
        field["reply_prp_iv"].equals(Array(material[..<24]))
        field["reply_prp_key"].equals(Array(material[24...]))
        let built: PacketFactory.Made
        do {
            built = try factory.reply(
                surb: raw,
                senderID: opener.senderID,
                signal: signal,
                text: text
            )
        } catch {
            field.fail("cannot be built: \(error)")
            return
        }
        guard let whole = sign(field, built, run, issuer: replier, first: path[0]) else { return }
        let journey = JourneyCheck(
            geometry: geometry,
            desk: desk,
            tickets: run.tickets,
            economics: run.economics,
            sender: replier,
            path: path
        )
        let stops = journey.follow(field["journey"], packet: whole.packet)
        AcknowledgementCheck(tickets: run.tickets).check(field["acknowledgements"], stops)
        guard let last = stops.last, last.found.prefix.isFinal else { return }
        open(field["journey"][stops.count - 1], last.found, opener, text: text)
    }

    /// The SURB's maker opens the reply.
    private func open(
        _ step: Field,
        _ found: PeelDesk.Found,
        _ opener: ReplyOpener,
        text: [UInt8]
    ) {
        step["receiver_data"].expect(found.senderID == opener.senderID, "is not the SURB's")
        var block = Array(found.packet[Geometry.payloadOffset..<geometry.ticketOffset])
        factory.open(&block, opener: opener)
        let message = Message.unpack(block, geometry: geometry)
        MessageCheck(geometry: geometry, senderID: found.senderID).check(step, message)
        step["plain_text"].equals(text)
    }
}

extension Field {
    fileprivate func proofValues(_ values: ProofValues) {
        self["raw"].equals(values)
        self["chain_length"].equals(ProofOfRelay.pathLength(values))
        self["ack_challenge"].equals(ProofOfRelay.acknowledgementChallenge(values))
        self["ticket_challenge"].equals(ProofOfRelay.firstChallenge(values))
    }

    /// What a message says about the stock of SURBs.
    func signal() -> Signal? {
        guard let number = integer() else { return nil }
        guard let signal = UInt8(exactly: number).flatMap({ Signal(rawValue: $0) }) else {
            fail("no signal")
            return nil
        }
        return signal
    }
}

/// Published randomness, used up in order.
final class Draws {
    private let field: Field
    private let draws: [[UInt8]]
    private var next = 0

    init(_ field: Field) {
        self.field = field
        draws = field.items.map { $0["hex"].bytes() ?? [] }
    }

    /// The first draw.
    var first: [UInt8] { draws.first ?? [] }
    /// All draws, one behind the other.
    var all: [UInt8] { draws.flatMap { $0 } }

    /// The next draw; zeros, and a failure, if it has another length.
    func take(_ count: Int) -> [UInt8] {
        defer { next += 1 }
        guard next < draws.count, draws[next].count == count else {
            field[next].fail("is no draw of \(count) bytes")
            return [UInt8](repeating: 0, count: count)
        }
        return draws[next]
    }

    /// All must have been used.
    func finish() { field.counts(next) }
}
