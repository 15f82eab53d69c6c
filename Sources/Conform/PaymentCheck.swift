internal import Bytes
internal import Crypto
internal import Sphinx
internal import Tickets

/// Published values of the parts that tickets are made of.
struct PaymentCheck {
    let geometry: Geometry

    func check(_ field: Field) {
        for item in field["win_prob"].items { winProbability(item) }
        for item in field["ticket_amount"].items { amount(item) }
        for item in field["chain_keys"].items {
            guard let key = Curves.chainKey(item["priv"]) else { continue }
            item["pub_compressed"].equals(key.publicKey)
            item["pub_uncompressed"].equals([4] + key.affine.array)
            item["address"].equals(key.address)
        }
        for item in field["channel_id"].items {
            guard let source = item["source"].address(),
                let destination = item["destination"].address()
            else { continue }
            item["channel_id"].equals(
                TicketDomain.channelID(source: source, destination: destination)
            )
        }
        for item in field["tickets"].items { ticket(item) }
        for item in field["por_combine"].items { combine(item) }
        for item in field["acknowledgement"].items { acknowledgement(item) }
        for item in field["vrf"].items { vrf(item) }
    }

    private func winProbability(_ item: Field) {
        guard let number = item["f64"].double() else { return }
        guard let probability = WinProbability(number) else {
            return item["f64"].fail("is no probability")
        }
        item["encoded"].equals(bigEndian(probability.rawValue, 7))
        item["luck_u56"].equals(probability.rawValue)
        guard let decoded = item["decoded_f64"].double() else { return }
        item["decoded_f64"].expect(
            decoded == probability.probability,
            "is not \(probability.probability)"
        )
    }

    private func amount(_ item: Field) {
        guard let price = item["price"].amount(), let position = item["path_pos"].integer(),
            let bytes = item["win_prob"].bytes(7)
        else { return }
        let probability = WinProbability(rawValue: bytes.reduce(0) { $0 << 8 | UInt64($1) })
        item["amount"].equals(
            amount: Ticket.amount(
                price: price,
                relays: position - 1,
                winProbability: probability
            )
        )
    }

    private func ticket(_ item: Field) {
        guard let domain = item["domain_separator"].bytes32(),
            let issuer = Curves.chainKey(item["issuer_priv"]),
            let counterparty = item["counterparty"].address(),
            let amount = item["amount"].amount(), let index = item["index"].unsigned(),
            let epoch = item["channel_epoch"].unsigned(),
            let epoch = UInt32(exactly: epoch), let bytes = item["win_prob"].bytes(7),
            let challenge = item["challenge"].address()
        else { return }
        let terms = TicketTerms(
            counterparty: counterparty,
            amount: amount,
            index: index,
            channelEpoch: epoch,
            winProbability: WinProbability(rawValue: bytes.reduce(0) { $0 << 8 | UInt64($1) }),
            challenge: challenge
        )
        _ = TicketDesk(domain: domain, selector: geometry.ticketSelector)
            .check(item, terms: terms, issuer: issuer)
    }

    private func combine(_ item: Field) {
        guard let own = item["own_key"].bytes32(), let ack = item["ack_key"].bytes32() else {
            return
        }
        let hint = Curves.generate(ack)?.compressed
        item["own_share"].equals(Curves.generate(own)?.compressed)
        item["hint"].equals(hint)
        let response = Curves.add(own, ack)
        item["response"].equals(response)
        item["ethereum_challenge"].equals(
            hint.flatMap { Curves.challenge(own: own, hint: $0) }
        )
        item["ethereum_challenge"].equals(
            response.flatMap { Curves.generate($0) }?.address
        )
    }

    private func acknowledgement(_ item: Field) {
        guard let key = Curves.packetKey(item["offchain_seed"]),
            let halfKey = item["ack_key"].bytes32(),
            let bytes = item["acknowledgement"].bytes(Geometry.ackBytes),
            let valid = item["valid"].flag()
        else { return }
        item["offchain_pub"].equals(key.publicKey)
        let holds = Ed25519.verify(
            Array(bytes[..<32]),
            signature: Bytes64(bytes[32...]) ?? Bytes64(),
            signer: key.publicKey
        )
        item["valid"].expect(holds == valid, "verification says \(holds)")
        item["acknowledgement"].expect(
            Array(bytes[..<32]) == halfKey.array,
            "does not begin with the half-key"
        )
        if valid { item["acknowledgement"].acknowledgement(halfKey: halfKey, by: key) }
    }

    private func vrf(_ item: Field) {
        guard let key = Curves.chainKey(item["chain_priv"]),
            let hash = item["message"].bytes32(), let domain = item["dst"].bytes32(),
            let entropy = item["random64"].bytes(64)
        else { return }
        item["address"].equals(key.address)
        let base = VRF.base(redeemer: key.address, hash: hash, domain: domain)
        let proof = VRF.prove(key: key, hash: hash, domain: domain, entropy: entropy)
        item["B"].equals([4] + base.array)
        item["V"].equals([4] + proof.value.array)
        item["V"].expect(
            VRF.value(key: key, hash: hash, domain: domain) == proof.value,
            "is not luck's"
        )
        item["h"].equals(proof.challenge)
        item["s"].equals(proof.response)
        item["hV"].equals(point(proof.value, times: proof.challenge))
        item["sB"].equals(point(base, times: proof.response))
        item["s"].expect(
            proof.verify(redeemer: key.address, hash: hash, domain: domain),
            "does not verify"
        )
    }

    private func point(_ affine: Bytes64, times scalar: Bytes32) -> [UInt8]? {
        guard let point = CurvePoint(affine: affine),
            let product = Curves.multiply(point, by: scalar)
        else { return nil }
        return [4] + product.affine.array
    }
}
