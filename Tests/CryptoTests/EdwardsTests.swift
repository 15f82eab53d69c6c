import Bytes
import CSodium
import Crypto
import JSON
import TestSupport
import Testing

/// ℓ plus a small number, little-endian.
func order(_ offset: Int) -> [UInt8] {
    let hex = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"
    var bytes = Hex.decode(hex) ?? []
    bytes[0] = UInt8(Int(bytes[0]) + offset)
    return bytes
}

/// A small number, little-endian.
private func number(_ value: Int) -> [UInt8] {
    (0..<32).map { $0 < 8 ? UInt8(value >> (8 * $0) & 255) : 0 }
}

/// 2^bit plus a small number, little-endian.
private func power(_ bit: Int, _ offset: Int = 0) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 32)
    bytes[bit / 8] = 1 << (bit % 8)
    var carry = offset
    for index in 0..<32 {
        let sum = Int(bytes[index]) + carry
        bytes[index] = UInt8(truncatingIfNeeded: sum)
        carry = sum >> 8
    }
    return bytes
}

func multiply(_ scalar: [UInt8], _ point: [UInt8]) -> [UInt8]? {
    var valid: LaneMask = 0
    let out = single([point, scalar], width: 32) {
        valid = Kernels.edwardsMul($0[0], scalar: $0[1], out: $1, live: 1)
    }
    return valid == 1 ? out : nil
}

func multiplyBase(_ scalar: [UInt8]) -> [UInt8] {
    single([scalar], width: 32) { Kernels.edwardsMulBase(scalar: $0[0], out: $1, live: 1) }
}

private func reduced(_ generator: inout SeededGenerator) -> [UInt8] {
    single([generator.bytes(32)], width: 32) {
        Kernels.scalarClampReduce($0[0], out: $1, live: 1)
    }
}

struct EdwardsTests {
    /// Scalars at the edges of digits, limbs and the order, all below 2²⁵⁵.
    static let edgeScalars: [[UInt8]] = {
        var all = (0...17).map(number)
        all += [order(-1), order(0), order(1), power(252), power(252, -1)]
        all += [power(254), power(255, -1), power(255, -19), power(254, -1)]
        for bit in [4, 51, 64, 102, 128, 153, 192, 204, 251] {
            all += [power(bit), power(bit, -1)]
        }
        all.append([UInt8](repeating: 0x88, count: 31) + [0x78])
        all.append([UInt8](repeating: 0x77, count: 32))
        all.append([UInt8](repeating: 0xff, count: 31) + [0x7f])
        return all
    }()

    /// Encodings of y at the edges of limbs and of p, with both signs.
    static let edgeEncodings: [[UInt8]] = {
        var all = (0...20).map(number)
        all += (-20...18).map { power(255, $0 - 19) }
        for bit in [51, 102, 153, 204, 254] { all += [-2, -1, 0, 1, 2].map { power(bit, $0) } }
        return all.map { Array($0[0..<31]) + [$0[31] & 0x7f] }
            + all.map { Array($0[0..<31]) + [$0[31] | 0x80] }
    }()

    @Test func `multiplication equals libsodium's where it accepts the point`() {
        var generator = SeededGenerator("libsodium")
        var compared = 0
        for round in 0..<300 {
            let point = multiplyBase(reduced(&generator))
            var scalar = round % 2 == 0 ? reduced(&generator) : order(round % 30 - 15)
            if round < Self.edgeScalars.count { scalar = Self.edgeScalars[round] }
            var expected = [UInt8](repeating: 0, count: 32)
            let status = crypto_scalarmult_ed25519_noclamp(&expected, scalar, point)
            // It refuses to hand out the neutral element but computes it.
            if status != 0 { expected = number(1) }
            #expect(multiply(scalar, point) == expected, "scalar \(Hex.encode(scalar))")
            compared += 1
        }
        #expect(compared == 300)
    }

    @Test func `the base point's multiples are multiples of the base point`() {
        var generator = SeededGenerator("base")
        let base = multiplyBase(number(1))
        #expect(Hex.encode(base) == "58" + String(repeating: "66", count: 31))
        for scalar in Self.edgeScalars + (0..<50).map({ _ in reduced(&generator) }) {
            #expect(multiplyBase(scalar) == multiply(scalar, base))
        }
    }

    @Test func `every encoding at an edge decodes and multiplies as the reference says`() {
        var generator = SeededGenerator("edges")
        var points = 0
        for (index, encoding) in Self.edgeEncodings.enumerated() {
            let scalar = reduced(&generator)
            guard let point = ReferencePoint(encoding) else {
                #expect(multiply(scalar, encoding) == nil, "\(Hex.encode(encoding))")
                continue
            }
            points += 1
            #expect(multiply(number(1), encoding) == point.bytes, "\(Hex.encode(encoding))")
            // The reference is slow: every third point is multiplied.
            guard index % 3 == 0 else { continue }
            #expect(multiply(scalar, encoding) == (scalar * point).bytes)
        }
        #expect(points > 60)
    }

    @Test func `points of small and mixed order multiply as the reference says`() throws {
        var generator = SeededGenerator("torsion")
        let file = try Vectors.load("hopr/primitives-head.json")
        let edge = try #require(file["vectors"]?["alpha_edge_cases"])
        for vector in edge.list("cases") {
            let alpha = vector.hex("alpha_in")
            guard let point = ReferencePoint(alpha) else {
                #expect(multiply(number(1), alpha) == nil)
                continue
            }
            for scalar in [number(Int.random(in: 1...8, using: &generator)), order(0)] {
                #expect(multiply(scalar, alpha) == (scalar * point).bytes)
            }
        }
    }

    @Test func `random bytes are points exactly when the reference says so`() {
        var generator = SeededGenerator("decode")
        for _ in 0..<60 {
            let bytes = generator.bytes(32)
            #expect(multiply(number(1), bytes) == ReferencePoint(bytes)?.bytes)
        }
    }
}

struct ScalarTests {
    @Test func `products equal libsodium's`() {
        var generator = SeededGenerator("product")
        var edges = EdwardsTests.edgeScalars
        edges += [[UInt8](repeating: 0xff, count: 32), power(255), power(255, 1)]
        for round in 0..<800 {
            let a = round < 600 ? edges[round % edges.count] : generator.bytes(32)
            let b = round < 300 ? edges[(round * 7 + 3) % edges.count] : generator.bytes(32)
            let product = single([a, b], width: 32) {
                Kernels.scalarMul($0[0], $0[1], out: $1, live: 1)
            }
            // libsodium wants reduced factors.
            var x = [UInt8](repeating: 0, count: 32)
            var y = x
            var expected = x
            crypto_core_ed25519_scalar_reduce(&x, a + [UInt8](repeating: 0, count: 32))
            crypto_core_ed25519_scalar_reduce(&y, b + [UInt8](repeating: 0, count: 32))
            crypto_core_ed25519_scalar_mul(&expected, x, y)
            #expect(product == expected)
        }
    }

    @Test func `clamping and reducing equals libsodium's reduction`() {
        var generator = SeededGenerator("clamp")
        for round in 0..<500 {
            let bytes =
                round < EdwardsTests.edgeScalars.count
                ? EdwardsTests.edgeScalars[round] : generator.bytes(32)
            var clamped = bytes
            clamped[0] &= 0xf8
            clamped[31] = clamped[31] & 0x7f | 0x40
            var expected = [UInt8](repeating: 0, count: 32)
            crypto_core_ed25519_scalar_reduce(
                &expected,
                clamped + [UInt8](repeating: 0, count: 32)
            )
            let scalar = single([bytes], width: 32) {
                Kernels.scalarClampReduce($0[0], out: $1, live: 1)
            }
            #expect(scalar == expected)
        }
    }
}
