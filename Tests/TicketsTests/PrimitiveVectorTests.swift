import Bytes
import Crypto
import JSON
import TestSupport
import Testing
import Tickets

@Suite struct PrimitiveVectorTests {
    static let files = ["head", "v4", "mix13"].map { "hopr/primitives-\($0).json" }

    static func load(_ file: String) throws -> (vectors: JSON, selector: UInt32) {
        let json = try Vectors.load(file)
        let selector = json.member("profile").hex("redeem_selector")
        return (json.member("vectors"), selector.reduce(0) { $0 << 8 | UInt32($1) })
    }

    @Test(arguments: files)
    func `win probabilities agree in both directions`(file: String) throws {
        for vector in try Self.load(file).vectors.list("win_prob") {
            let given = try #require(vector["f64"]?.double)
            let probability = try #require(WinProbability(given))
            #expect(probability == vector.winProbability("encoded"))
            #expect(probability.rawValue == vector.number("luck_u56"))
            #expect(probability.probability == vector["decoded_f64"]?.double)
        }
    }

    @Test(arguments: files)
    func `amounts agree`(file: String) throws {
        for vector in try Self.load(file).vectors.list("ticket_amount") {
            let amount = Ticket.amount(
                price: vector.amount("price"),
                relays: Int(vector.number("path_pos")) - 1,
                winProbability: vector.winProbability("win_prob")
            )
            #expect(amount == vector.amount("amount"))
        }
    }

    @Test(arguments: files)
    func `chain keys have their points and addresses`(file: String) throws {
        for vector in try Self.load(file).vectors.list("chain_keys") {
            let key = chainKey(vector.fixed("priv"))
            #expect(key.publicKey == vector.fixed("pub_compressed"))
            #expect([4] + key.affine.array == vector.hex("pub_uncompressed"))
            #expect(key.address == vector.fixed("address"))
            #expect(CurvePoint(compressed: key.publicKey)?.affine == key.affine)
            #expect(CurvePoint(affine: key.affine)?.compressed == key.publicKey)
        }
    }

    @Test(arguments: files)
    func `channel ids agree`(file: String) throws {
        for vector in try Self.load(file).vectors.list("channel_id") {
            let id = TicketDomain.channelID(
                source: vector.fixed("source"),
                destination: vector.fixed("destination")
            )
            #expect(id == vector.fixed("channel_id"))
        }
    }

    @Test(arguments: files)
    func `tickets parse, hash, verify and sign to the same bytes`(file: String) throws {
        let (vectors, selector) = try Self.load(file)
        for vector in vectors.list("tickets") {
            let wrong = checkTicket(
                vector,
                domain: vector.fixed("domain_separator"),
                selector: selector,
                issuer: chainKey(vector.fixed("issuer_priv"))
            )
            #expect(wrong == [])
        }
    }

    @Test(arguments: files)
    func `half-keys combine`(file: String) throws {
        for vector in try Self.load(file).vectors.list("por_combine") {
            let own: Bytes32 = vector.fixed("own_key")
            let ack: Bytes32 = vector.fixed("ack_key")
            let challenge: Address = vector.fixed("ethereum_challenge")
            let hint: Bytes33 = vector.fixed("hint")
            #expect(ProofOfRelay.hint(of: own) == vector.fixed("own_share"))
            #expect(ProofOfRelay.hint(of: ack) == hint)
            let response = try #require(ProofOfRelay.response(own: own, ack: ack))
            #expect(response == vector.fixed("response"))
            #expect(ProofOfRelay.challenge(own: own, hint: hint) == challenge)
            #expect(ProofOfRelay.opens(response, challenge: challenge))
            #expect(!ProofOfRelay.opens(own, challenge: challenge))
        }
    }

    @Test(arguments: files)
    func `acknowledgements are made and judged alike`(file: String) throws {
        for vector in try Self.load(file).vectors.list("acknowledgement") {
            let key = packetKey(vector.fixed("offchain_seed"))
            let halfKey: Bytes32 = vector.fixed("ack_key")
            let acknowledgement: Acknowledgement = vector.fixed("acknowledgement")
            let valid = vector["valid"]?.bool == true
            #expect(key.publicKey == vector.fixed("offchain_pub"))
            #expect(Acknowledgements.isSigned(acknowledgement, by: key.publicKey) == valid)
            if valid {
                #expect(Acknowledgements.make(halfKey: halfKey, key: key) == acknowledgement)
                #expect(Acknowledgements.halfKey(acknowledgement) == halfKey)
            }
        }
    }

    @Test(arguments: files)
    func `the VRF gives the same proofs`(file: String) throws {
        for vector in try Self.load(file).vectors.list("vrf") {
            let key = chainKey(vector.fixed("chain_priv"))
            let hash: Bytes32 = vector.fixed("message")
            let domain: Bytes32 = vector.fixed("dst")
            let base = VRF.base(redeemer: key.address, hash: hash, domain: domain)
            #expect([4] + base.array == vector.hex("B"))
            let value = VRF.value(key: key, hash: hash, domain: domain)
            #expect([4] + value.array == vector.hex("V"))

            let proof = VRF.prove(
                key: key,
                hash: hash,
                domain: domain,
                entropy: vector.hex("random64")
            )
            #expect(key.address == vector.fixed("address"))
            #expect(proof.value == value)
            #expect(proof.challenge == vector.fixed("h"))
            #expect(proof.response == vector.fixed("s"))
            let witnesses = try #require(
                proof.witnesses(redeemer: key.address, hash: hash, domain: domain)
            )
            #expect([4] + witnesses.responseBase.array == vector.hex("sB"))
            #expect([4] + witnesses.challengeValue.array == vector.hex("hV"))
            #expect(proof.verify(redeemer: key.address, hash: hash, domain: domain))
        }
    }
}
