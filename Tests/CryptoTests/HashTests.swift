import Bytes
import Crypto
import TestSupport
import Testing

/// The input of BLAKE3's own test vectors: 0, 1, … 250, 0, 1, …
private func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8($0 % 251) } }

private let lengths =
    [0, 1, 2, 3, 31, 32, 63, 64, 65, 127, 128, 129, 1008, 1023, 1024, 1025, 2047, 2048, 2049]
    + [3072, 3073, 3216, 4096, 4097, 5120, 5121, 6144, 7168, 8192, 8193, 16384, 31744]

struct HashTests {
    @Test func `blake3 equals the reference at every length`() {
        for length in lengths {
            let input = pattern(length)
            #expect(Hash.blake3(input, count: 131) == ReferenceBlake3.hash(input, count: 131))
        }
    }

    @Test func `keyed blake3 equals the reference at every length`() throws {
        let key = Array("whats the Elvish word for friend".utf8)
        let fixed = try #require(Bytes32(key))
        for length in lengths {
            let input = pattern(length)
            #expect(
                Hash.blake3Keyed(key: fixed, input, count: 131)
                    == ReferenceBlake3.keyed(key, input, count: 131)
            )
        }
    }

    @Test func `blake3 derivation equals the reference at every length`() {
        let context = "BLAKE3 2019-12-27 16:29:52 test vectors context"
        for length in lengths {
            let input = pattern(length)
            #expect(
                Hash.blake3Derive(context: context, material: input, count: 131)
                    == ReferenceBlake3.derive(context, input, count: 131)
            )
        }
    }

    @Test func `the reference gives blake3's published digests`() {
        // https://github.com/BLAKE3-team/BLAKE3, test_vectors.json: lengths 0 and 1.
        #expect(
            Hex.encode(ReferenceBlake3.hash([]))
                == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
        )
        #expect(
            Hex.encode(ReferenceBlake3.hash([0]))
                == "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"
        )
    }

    @Test func `an output's beginning does not depend on its length`() {
        let input = pattern(100)
        let long = Hash.blake3(input, count: 300)
        for count in [1, 31, 32, 33, 63, 64, 65, 128, 299] {
            #expect(Hash.blake3(input, count: count) == Array(long.prefix(count)))
        }
    }

    @Test func `keccak and sha3 equal the reference around the block size`() {
        for length in Array(0...8) + Array(130...140) + Array(268...276) + [1000] {
            let input = pattern(length)
            #expect(Hash.keccak256(input).array == ReferenceKeccak.keccak256(input))
            #expect(Hash.sha3(input).array == ReferenceKeccak.sha3(input))
        }
    }

    @Test func `keccak and sha3 give the published digests`() {
        #expect(
            Hash.keccak256([]).hex
                == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
        )
        #expect(
            Hash.keccak256(Array("abc".utf8)).hex
                == "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"
        )
        #expect(
            Hash.sha3(Array("abc".utf8)).hex
                == "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"
        )
        #expect(
            Hash.sha3([]).hex
                == "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"
        )
    }

    @Test func `keccak iterated is keccak of keccak`() {
        var value = Bytes32()
        var iterated = Bytes32()
        for count in 0..<20 {
            #expect(Hash.keccakIterate(Bytes32(), count: count) == value)
            iterated = Hash.keccakIterate(iterated, count: 1)
            value = Hash.keccak256(value.array)
            #expect(iterated == value)
        }
    }

    @Test func `a message may be hashed onto itself`() {
        var bytes = pattern(64)
        let digest = Hash.keccak256(bytes)
        bytes.withRegion { Hash.keccak256($0, into: $0) }
        #expect(Array(bytes.prefix(32)) == digest.array)
    }

    @Test func `message expansion equals rfc 9380's definition`() {
        let domain = Array("QUUX-V01-CS02-with-expander".utf8)
        for (message, count) in [(0, 32), (3, 48), (32, 96), (200, 128), (136, 33)] {
            let message = pattern(message)
            #expect(
                Hash.expandSHA3(message, domain: domain, count: count)
                    == expand(message, domain, count, ReferenceKeccak.sha3)
            )
            #expect(
                Hash.expandKeccak(message, domain: domain, count: count)
                    == expand(message, domain, count, ReferenceKeccak.keccak256)
            )
        }
    }

    private func expand(
        _ message: [UInt8],
        _ domain: [UInt8],
        _ count: Int,
        _ hash: ([UInt8]) -> [UInt8]
    ) -> [UInt8] {
        let domain = domain + [UInt8(domain.count)]
        let zero = [UInt8](repeating: 0, count: 136)
        let first = hash(zero + message + [UInt8(count >> 8), UInt8(count & 255), 0] + domain)
        var last = hash(first + [1] + domain)
        var out = last
        while out.count < count {
            let mixed = zip(first, last).map { $0 ^ $1 }
            last = hash(mixed + [UInt8(out.count / 32 + 1)] + domain)
            out += last
        }
        return Array(out.prefix(count))
    }
}
