import Bytes
import Crypto
import TestSupport
import Testing

/// Primitives of links against the vectors of their RFCs, and against each other.
@Suite struct LinkPrimitiveTests {
    private func blake2b(_ input: [UInt8], key: [UInt8]? = nil, count: Int = 64) -> [UInt8] {
        var (input, out) = (input + [0], [UInt8](repeating: 0, count: count))
        let length = input.count - 1
        input.withRegion { input in
            out.withRegion { out in
                guard var key else { return Blake2b.hash(input.slice(0, length), into: out) }
                key.withRegion { Blake2b.hash(input.slice(0, length), key: $0, into: out) }
            }
        }
        return out
    }

    @Test func `blake2b of abc is what rfc 7693 says`() {
        let want = """
            ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1\
            7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923
            """
        #expect(Hex.encode(blake2b(Array("abc".utf8))) == want)
    }

    @Test func `hashing in two pieces is hashing in one`() {
        var random = SeededGenerator("blake2b")
        for count in [0, 1, 63, 64, 127, 128, 129, 300] {
            let whole = random.bytes(count)
            for cut in [0, count / 3, count] {
                var first = Array(whole[..<cut]) + [0]
                var second = Array(whole[cut...]) + [0]
                var out = [UInt8](repeating: 0, count: 64)
                first.withRegion { first in
                    second.withRegion { second in
                        out.withRegion {
                            Blake2b.hash(
                                first.slice(0, cut),
                                second.slice(0, count - cut),
                                into: $0
                            )
                        }
                    }
                }
                #expect(out == blake2b(whole))
            }
        }
    }

    @Test func `hmac is made of the hash as rfc 2104 says`() {
        var random = SeededGenerator("hmac")
        for count in [1, 32, 64] {
            var (key, input) = (random.bytes(count), random.bytes(65))
            var out = [UInt8](repeating: 0, count: 64)
            key.withRegion { key in
                input.withRegion { input in
                    out.withRegion { Blake2b.hmac(input, key: key, into: $0) }
                }
            }
            let padded = key + [UInt8](repeating: 0, count: 128 - count)
            let inner = blake2b(padded.map { $0 ^ 0x36 } + input)
            #expect(out == blake2b(padded.map { $0 ^ 0x5c } + inner))
        }
    }

    @Test func `x25519 is what rfc 7748 says`() {
        func share(_ secret: String, _ point: String) -> String? {
            var (secret, point) = (Hex.decode(secret) ?? [], Hex.decode(point) ?? [])
            var out = [UInt8](repeating: 0, count: 32)
            let isShared = secret.withRegion { secret in
                point.withRegion { point in
                    out.withRegion { X25519.share(secret: secret, publicKey: point, into: $0) }
                }
            }
            return isShared ? Hex.encode(out) : nil
        }
        #expect(
            share(
                "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"
            ) == "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
        )
        // A public key is the multiple of the base point.
        var secret =
            Hex.decode("77076d0a7318a57d3c16c17251b26645df4c5a9a2b1c0f8f3c0c0a0d5f0b1e2a") ?? []
        var out = [UInt8](repeating: 0, count: 32)
        secret.withRegion { secret in
            out.withRegion { X25519.makePublicKey(secret: secret, into: $0) }
        }
        let base = "09" + String(repeating: "0", count: 62)
        #expect(share(Hex.encode(secret), base) == Hex.encode(out))
    }

    @Test func `extended nonces open what they sealed and nothing else`() {
        var random = SeededGenerator("extended")
        var parts = (0..<4).map { random.bytes([16, 16, 32, 24][$0]) }
        func pass(_ sealed: inout [UInt8], _ parts: inout [[UInt8]], opens: Bool) -> Bool {
            var (text, data, key, nonce) = (parts[0], parts[1], parts[2], parts[3])
            return sealed.withRegion { sealed in
                text.withRegion { text in
                    data.withRegion { data in
                        key.withRegion { key in
                            nonce.withRegion { nonce in
                                if opens {
                                    return ChaChaPoly.openExtended(
                                        sealed,
                                        data: data,
                                        key: key,
                                        nonce: nonce,
                                        into: text
                                    )
                                }
                                ChaChaPoly.sealExtended(
                                    text,
                                    data: data,
                                    key: key,
                                    nonce: nonce,
                                    into: sealed
                                )
                                return true
                            }
                        }
                    }
                }
            }
        }
        var sealed = [UInt8](repeating: 0, count: 32)
        _ = pass(&sealed, &parts, opens: false)
        #expect(pass(&sealed, &parts, opens: true))
        for part in 1..<4 {
            parts[part][3] ^= 4
            #expect(!pass(&sealed, &parts, opens: true))
            parts[part][3] ^= 4
        }
        sealed[31] ^= 1
        #expect(!pass(&sealed, &parts, opens: true))
    }

    @Test func `the short mac is siphash-2-4 with sixteen bytes of output`() {
        // First entries of the reference implementation's table for keys 00..0f, inputs 00, 01, …
        let want = [
            "a3817f04ba25a8e66df67214c7550293", "da87c1d86b99af44347659119b22fc45",
            "8177228da4a45dc7fca38bdef60affe4",
        ]
        for (count, text) in want.enumerated() {
            var key = (0..<16).map { UInt8($0) }
            var input = (0..<16).map { UInt8($0) }
            var out = [UInt8](repeating: 0, count: 16)
            key.withRegion { key in
                input.withRegion { input in
                    out.withRegion { ShortHash.mac(input.slice(0, count), key: key, into: $0) }
                }
            }
            #expect(Hex.encode(out) == text)
        }
    }
}
