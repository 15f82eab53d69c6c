import Bytes
import CSodium
import Crypto
import JSON
import TestSupport
import Testing

private let profiles = ["head", "v4", "mix13"]

private func primitives(_ profile: String) throws -> JSON {
    let file = try Vectors.load("hopr/primitives-\(profile).json")
    return try #require(file["vectors"])
}

/// The node scalar of an Ed25519 seed.
func nodeScalar(_ seed: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 64)
    crypto_hash_sha512(&digest, seed, UInt64(seed.count))
    return single([Array(digest.prefix(32))], width: 32) {
        Kernels.scalarClampReduce($0[0], out: $1, live: 1)
    }
}

func alphaStep(
    _ alpha: [UInt8],
    scalar: [UInt8],
    publicKey: [UInt8]
) -> (outcome: Kernels.AlphaOutcome, secret: [UInt8], next: [UInt8]) {
    let input = LaneBuffer(width: 32)
    input[0] = alpha
    let secret = LaneBuffer(width: 32)
    let next = LaneBuffer(width: 32)
    var scalar = scalar
    var publicKey = publicKey
    let outcome = scalar.withRegion { scalar in
        publicKey.withRegion { publicKey in
            Kernels.alphaStep(
                input.lanes,
                scalar: scalar,
                publicKey: publicKey,
                secret: secret.lanes,
                next: next.lanes,
                live: 1
            )
        }
    }
    return (outcome, secret[0], next[0])
}

struct VectorTests {
    static let contexts: [(String, Kernels.Context)] = [
        ("HASH_KEY_SPHINX_SECRET", .sphinxSecret), ("HASH_KEY_SPHINX_BLINDING", .sphinxBlinding),
        ("HASH_KEY_PRG", .prg), ("HASH_KEY_TAG", .tag), ("HASH_KEY_PRP", .prp),
        ("HASH_KEY_PACKET_TAG", .packetTag), ("HASH_KEY_REPLY_PRP", .replyPRP),
        ("DRAY_COMMITMENT_SEED", .commitmentSeed),
    ]

    @Test(arguments: profiles)
    func `keys are derived as published`(profile: String) throws {
        for vector in try primitives(profile).list("kdf") {
            let context = try #require(vector["context"]?.text)
            let salt = vector["salt"]?.text == nil ? [] : vector.hex("salt")
            let material = vector.hex("key_material")
            let output = vector.hex("output")
            #expect(
                Hash.blake3Derive(context: context, material: salt + material, count: output.count)
                    == output
            )
        }
    }

    @Test func `every precomputed context equals derivation from its name`() {
        for (name, context) in Self.contexts {
            for (salt, key, count) in [(0, 32, 152), (18, 16, 152), (32, 32, 32), (0, 100, 44)] {
                var generator = SeededGenerator("context")
                let salt = generator.bytes(salt)
                let key = generator.bytes(key)
                let out = single([salt, key], width: count) { inputs, out in
                    Kernels.derive(
                        context,
                        salt: inputs[0],
                        saltBytes: salt.count,
                        key: inputs[1],
                        keyBytes: key.count,
                        out: out,
                        outBytes: count,
                        live: 1
                    )
                }
                #expect(out == ReferenceBlake3.derive(name, salt + key, count: count))
            }
        }
    }

    @Test(arguments: profiles)
    func `packet keys become node scalars`(profile: String) throws {
        for vector in try primitives(profile).list("offchain_keys") {
            let scalar = nodeScalar(vector.hex("seed"))
            #expect(scalar == vector.hex("scalar_mod_l_le"))
            let point = single([scalar], width: 32) {
                Kernels.edwardsMulBase(scalar: $0[0], out: $1, live: 1)
            }
            #expect(point == vector.hex("pub"))
        }
    }

    @Test(arguments: profiles)
    func `bytes become scalars`(profile: String) throws {
        for vector in try primitives(profile).list("scalar_from_bytes") {
            let scalar = single([vector.hex("in")], width: 32) {
                Kernels.scalarClampReduce($0[0], out: $1, live: 1)
            }
            #expect(scalar == vector.hex("clamped_mod_l_le"))
            let point = single([scalar], width: 32) {
                Kernels.edwardsMulBase(scalar: $0[0], out: $1, live: 1)
            }
            #expect(point == vector.hex("mul_base"))
        }
    }

    @Test(arguments: profiles)
    func `alpha steps`(profile: String) throws {
        for vector in try primitives(profile).list("alpha_transform") {
            let scalar = nodeScalar(vector.hex("node_seed"))
            let alpha = vector.hex("alpha_in")
            let shared = single([alpha, scalar], width: 32) {
                #expect(Kernels.edwardsMul($0[0], scalar: $0[1], out: $1, live: 1) == 1)
            }
            #expect(shared == vector.hex("shared_point"))
            let step = alphaStep(alpha, scalar: scalar, publicKey: vector.hex("node_pub"))
            #expect(step.outcome.valid == 1 && step.outcome.neutral == 0)
            #expect(step.secret == vector.hex("secret"))
            #expect(step.next == vector.hex("alpha_out"))
        }
    }

    @Test(arguments: profiles)
    func `alpha steps of edge points`(profile: String) throws {
        let edge = try #require(try primitives(profile)["alpha_edge_cases"])
        let scalar = nodeScalar(edge.hex("node_seed"))
        let publicKey = single([scalar], width: 32) {
            Kernels.edwardsMulBase(scalar: $0[0], out: $1, live: 1)
        }
        #expect(edge.list("cases").count == 56)
        let refusesNeutral = profile != "v4"
        for vector in edge.list("cases") {
            let name = vector["name"]?.text ?? ""
            let step = alphaStep(vector.hex("alpha_in"), scalar: scalar, publicKey: publicKey)
            let refused = step.outcome.valid == 0 || (refusesNeutral && step.outcome.neutral == 1)
            #expect(!refused == vector["ok"]?.bool, "\(name)")
            guard vector["ok"]?.bool == true else { continue }
            #expect(step.secret == vector.hex("secret"), "\(name)")
            #expect(step.next == vector.hex("alpha_out"), "\(name)")
        }
    }

    @Test(arguments: profiles)
    func `secrets become half-keys`(profile: String) throws {
        for vector in try primitives(profile).list("hash_to_scalar") {
            let secret = vector.hex("secret")
            let domain = try #require(vector["full_dst"]?.text)
            let wide = Hash.expandSHA3(secret, domain: Array(domain.utf8), count: 48)
            #expect(Hash.scalarReduce48(wide).array == vector.hex("scalar_be"))

            let tag = vector["tag"]?.text
            guard secret.count == 32, tag == "HASH_KEY_OWN_KEY" || tag == "HASH_KEY_ACK_KEY" else {
                continue
            }
            let other = LaneBuffer(width: 32)
            let key = single([secret], width: 32) {
                let isOwn = tag == "HASH_KEY_OWN_KEY"
                Kernels.halfKeys(
                    secret: $0[0],
                    own: isOwn ? $1 : other.lanes,
                    ack: isOwn ? other.lanes : $1,
                    live: 1
                )
            }
            #expect(key == vector.hex("scalar_be"))
        }
    }

    @Test(arguments: profiles)
    func `lioness goes forwards and back`(profile: String) throws {
        for vector in try primitives(profile).list("lioness") {
            let block = vector.hex("in")
            let count = block.count
            let material = LaneBuffer(width: 152)
            material[0] = vector.hex("iv") + vector.hex("key")
            let buffer = LaneBuffer(width: count)
            buffer[0] = block
            Kernels.lionessForward(
                material: material.lanes,
                block: buffer.lanes,
                count: count,
                live: 1
            )
            #expect(buffer[0] == vector.hex("forward"))
            Kernels.lionessInverse(
                material: material.lanes,
                block: buffer.lanes,
                count: count,
                live: 1
            )
            #expect(buffer[0] == block)
            Kernels.lionessInverse(
                material: material.lanes,
                block: buffer.lanes,
                count: count,
                live: 1
            )
            #expect(buffer[0] == vector.hex("inverse"))
        }
    }

    @Test(arguments: profiles)
    func `key streams`(profile: String) throws {
        for vector in try primitives(profile).list("chacha20_keystream") {
            let offset = try #require(vector["offset"]?.integer)
            let material = single([vector.hex("secret")], width: 44) {
                Kernels.derive(.prg, key: $0[0], keyBytes: 32, out: $1, outBytes: 44, live: 1)
            }
            let stream = single([material], width: offset + 100) {
                Kernels.headerStream(
                    material: $0[0],
                    out: $1,
                    outBytes: offset + 100,
                    live: 1
                )
            }
            #expect(Array(stream[offset...]) == vector.hex("keystream100"))
        }
    }

    @Test(arguments: profiles)
    func `header macs`(profile: String) throws {
        for vector in try primitives(profile).list("poly1305_header_mac") {
            let key = single([vector.hex("secret")], width: 32) {
                Kernels.derive(.tag, key: $0[0], keyBytes: 32, out: $1, outBytes: 32, live: 1)
            }
            #expect(key == vector.hex("mac_key"))
            let tag = single([key, vector.hex("header241")], width: 16) {
                Kernels.headerMAC(key: $0[0], $0[1], count: 241, out: $1, live: 1)
            }
            #expect(tag == vector.hex("tag"))
        }
    }

    @Test(arguments: profiles)
    func `messages hash to points`(profile: String) throws {
        for vector in try primitives(profile).list("vrf") {
            let point = Hash.hashToCurve(
                vector.hex("address") + vector.hex("message"),
                domain: vector.hex("dst")
            )
            #expect([4] + point.array == vector.hex("B"))
        }
    }

    @Test func `commitment chains`() throws {
        let file = try Vectors.load("hopr/commitment.json")
        for vector in file.list("cases") {
            let chain = try #require(vector["chain"])
            let seed = vector.hex("commitment_seed")
            var value = try #require(Bytes32(seed))
            var position = 0
            for (name, next) in [1, 315, 316, 317, 10_000].map({ ("\($0)", $0) }) {
                value = Hash.keccakIterate(value, count: next - position)
                position = next
                #expect(value.array == chain.hex(name))
            }
        }
    }
}
