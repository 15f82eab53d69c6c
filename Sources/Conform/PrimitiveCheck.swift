internal import Bytes
internal import Crypto
internal import Sphinx

/// Published values of the parts that packets and tickets are made of.
struct PrimitiveCheck {
    let geometry: Geometry

    init(_ geometry: Geometry) { self.geometry = geometry }

    func check(_ field: Field) {
        for item in field["kdf"].items { derive(item) }
        for item in field["offchain_keys"].items {
            guard let key = Curves.packetKey(item["seed"]) else { continue }
            item["pub"].equals(key.publicKey)
            item["scalar_mod_l_le"].equals(key.scalarBytes)
        }
        for item in field["scalar_from_bytes"].items {
            guard let bytes = item["in"].bytes32() else { continue }
            let scalar = Curves.clamp(bytes)
            item["clamped_mod_l_le"].equals(scalar)
            item["mul_base"].equals(Curves.multiplyBase(scalar))
        }
        for item in field["alpha_transform"].items { alphaStep(item) }
        alphaEdges(field["alpha_edge_cases"])
        for item in field["hash_to_scalar"].items { halfKey(item) }
        for item in field["lioness"].items { lioness(item) }
        for item in field["chacha20_keystream"].items { stream(item) }
        for item in field["poly1305_header_mac"].items { headerMAC(item) }
        for item in field["padding"].items { padding(item) }
        for item in field["sender_id_sequence"].items { senderIDs(item) }
        PaymentCheck(geometry: geometry).check(field)
    }

    private func derive(_ item: Field) {
        guard let context = item["context"].text(), let key = item["key_material"].bytes(),
            let salt = item["salt"].isNull ? [] : item["salt"].bytes(),
            let output = item["output"].bytes()
        else { return }
        item["output"].equals(
            Hash.blake3Derive(context: context, material: salt + key, count: output.count)
        )
    }

    private func alphaStep(_ item: Field) {
        guard let key = Curves.packetKey(item["node_seed"]),
            let alpha = item["alpha_in"].bytes32()
        else { return }
        item["node_pub"].equals(key.publicKey)
        let scalar = Bytes32(key.scalarBytes) ?? Bytes32()
        item["shared_point"].equals(Curves.multiply(alpha, by: scalar))
        let step = Curves.alphaStep(alpha, key: key)
        item["secret"].equals(step?.secret)
        item["alpha_out"].equals(step?.next)
    }

    private func alphaEdges(_ field: Field) {
        guard let key = Curves.packetKey(field["node_seed"]) else { return }
        for item in field["cases"].items {
            guard let alpha = item["alpha_in"].bytes32() else { continue }
            let step = Curves.alphaStep(alpha, key: key)
            let refused = step.map { $0.neutral && geometry.refusesNeutralAlpha } ?? true
            item["ok"].equals(!refused)
            guard !refused else { continue }
            item["secret"].equals(step?.secret)
            item["alpha_out"].equals(step?.next)
        }
    }

    private func halfKey(_ item: Field) {
        guard let tag = item["tag"].text(), let secret = item["secret"].bytes() else { return }
        let domain = "secp256k1_XMD:SHA3-256_SSWU_RO_" + tag
        item["full_dst"].equals(domain)
        guard domain.utf8.count <= 255 else { return item["tag"].fail("is too long") }
        let expanded = Hash.expandSHA3(secret, domain: Array(domain.utf8), count: 48)
        let scalar = Hash.scalarReduce48(expanded)
        item["scalar_be"].equals(scalar)
        item["point_compressed"].equals(Curves.generate(scalar)?.compressed)
        guard let pair = Bytes32(secret).map({ Curves.halfKeys($0) }) else { return }
        if tag == "HASH_KEY_OWN_KEY" { item["scalar_be"].equals(pair.own) }
        if tag == "HASH_KEY_ACK_KEY" { item["scalar_be"].equals(pair.ack) }
    }

    private func lioness(_ item: Field) {
        guard let iv = item["iv"].bytes(24), let key = item["key"].bytes(128),
            let block = item["in"].bytes()
        else { return }
        item["block"].equals(block.count)
        guard block.count > 32 else { return item["in"].fail("is too short") }
        item["forward"].equals(Curves.lioness(block, material: iv + key, inverse: false))
        item["inverse"].equals(Curves.lioness(block, material: iv + key, inverse: true))
    }

    private func stream(_ item: Field) {
        guard let secret = item["secret"].bytes(32), let offset = item["offset"].integer() else {
            return
        }
        guard 0...65_536 ~= offset else { return item["offset"].fail("is out of range") }
        let material = Hash.blake3Derive(context: "HASH_KEY_PRG", material: secret, count: 44)
        let stream = Curves.stream(material, count: offset + 100)
        item["keystream100"].equals(Array(stream[offset...]))
    }

    private func headerMAC(_ item: Field) {
        guard let secret = item["secret"].bytes(32), let header = item["header241"].bytes(241)
        else { return }
        let key = Hash.blake3Derive(context: "HASH_KEY_TAG", material: secret, count: 32)
        item["mac_key"].equals(key)
        item["tag"].equals(Curves.headerMAC(header, key: key))
    }

    private func padding(_ item: Field) {
        guard var data = item["data"].bytes() else { return }
        guard data.count < geometry.payloadBytes else { return item["data"].fail("is too long") }
        var block = [UInt8](repeating: 0, count: geometry.payloadBytes)
        let found = block.withRegion { block in
            data.withRegion { Padding.pad($0, into: block) }
            return Padding.find(block)
        }
        item["padded"].equals(block)
        item["padded"].expect(
            found.marked && found.clean && block.count - found.dataOffset == data.count,
            "is not read back"
        )
    }

    private func senderIDs(_ item: Field) {
        guard var id: SenderID = item["first"].fixed() else { return }
        for (index, element) in item["sequence"].items.enumerated() {
            if index > 0 { id = SenderIDChain.next(id, position: UInt32(index)) }
            element.equals(id)
        }
    }
}
