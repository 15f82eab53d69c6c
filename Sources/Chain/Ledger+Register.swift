internal import Bytes
internal import Crypto
internal import Exchange

// Key id ↔ packet key ↔ chain address ↔ UDP address.
extension Ledger {
    /// Registers a packet key, moves its node, or replaces the node's packet key.
    mutating func announce(
        _ request: LedgerRequest,
        _ packetKey: Bytes32,
        _ encoded: FixedBytes<19>,
        _ signature: Bytes64
    ) throws(Refusal) -> UInt32 {
        guard let endpoint = Endpoint(encoded: encoded) else { throw .malformed }
        let message = LedgerRequest.announcement(
            domain: domain,
            from: request.from,
            nonce: request.nonce,
            packetKey: packetKey,
            endpoint: encoded
        )
        guard Ed25519.verify(message, signature: signature, signer: packetKey) else {
            throw .packetSignature
        }
        try checkEndpoint(endpoint, request.from)
        let keyID: UInt32
        if let known = keyIDs[packetKey] {
            keyID = known
            let node = nodes[Int(known) - 1]
            guard node.chainAddress == request.from else { throw .packetKeyTaken }
            guard node.retiresMillis == 0 else { throw .packetKeyRetired }
        } else {
            guard nodes.count < Self.recordsMax else { throw .ledgerFull }
            keyID = UInt32(nodes.count) + 1
            try welcome(request.from)
            try retire(request.from)
            setNode(
                RegisteredNode(
                    keyID: keyID,
                    packetKey: packetKey,
                    chainAddress: request.from,
                    endpoint: endpoint,
                    announcedMillis: lastMillis
                )
            )
        }
        move(request.from, endpoint)
        return keyID
    }

    /// A new account gets its grant, as long as the treasury has it.
    private mutating func welcome(_ address: Address) throws(Refusal) {
        guard accounts[address] == nil else { return }
        let grant = min(parameters.grant, treasury)
        treasury -= grant
        try credit(address, grant)
    }

    /// The current packet key of the address is served for the grace period only.
    private mutating func retire(_ address: Address) throws(Refusal) {
        for keyID in keysOfAddress[address] ?? [] {
            var node = nodes[Int(keyID) - 1]
            guard node.retiresMillis == 0 else { continue }
            node.retiresMillis = lastMillis + parameters.keyGraceMillis
            setNode(node)
        }
    }

    /// All valid keys of the address are reached at the new endpoint.
    private mutating func move(_ address: Address, _ endpoint: Endpoint) {
        for keyID in keysOfAddress[address] ?? [] {
            var node = nodes[Int(keyID) - 1]
            guard node.isValid(nowMillis: lastMillis) else { continue }
            node.endpoint = endpoint
            setNode(node)
            emit(.node(node))
        }
    }

    /// Datagrams are attributed by source address, so two nodes must not share one.
    private func checkEndpoint(_ endpoint: Endpoint, _ address: Address) throws(Refusal) {
        for node in nodes
        where node.endpoint == endpoint && node.chainAddress != address
            && node.isValid(nowMillis: lastMillis)
        {
            throw .endpointTaken
        }
    }
}
