import Bytes
import CKernelProbe
import Crypto
import TestSupport
import Testing

private let ed25519 = Hex.decode("7f" + String(repeating: "ff", count: 30) + "ed") ?? []
private let secp256k1 =
    Hex.decode(String(repeating: "ff", count: 27) + "fefffffc2f") ?? []
private let secp256k1Order =
    Hex.decode("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141") ?? []

/// The value of limbs of so many bits, big-endian.
private func value(_ limbs: [UInt64], bits: Int) -> [UInt8] {
    var sum: [UInt8] = [0]
    for (index, limb) in limbs.enumerated() {
        let bytes = (0..<8).map { UInt8(limb >> (56 - 8 * UInt64($0)) & 255) }
        let shift = index * bits
        let scale = [1 << UInt8(shift % 8)] + [UInt8](repeating: 0, count: shift / 8)
        sum = ReferenceModular.add(sum, ReferenceModular.multiply(bytes, scale))
    }
    return sum
}

/// Limbs that are each as small or as large as they may be, or random.
private func extremes(
    _ count: Int,
    _ most: UInt64,
    _ generator: inout SeededGenerator
) -> [UInt64] {
    (0..<count).map { _ in
        switch generator.next() % 5 {
        case 0: 0
        case 1: most
        case 2: most - generator.next() % 20
        case 3: generator.next() % 20
        default: generator.next() % most
        }
    }
}

struct FieldTests {
    private static let tight: UInt64 = (1 << 51) + (1 << 13) - 1
    private static let loose: UInt64 = (1 << 54) - 1

    private func curve25519(
        _ operation: probe_operation,
        _ a: [UInt64],
        _ b: [UInt64]
    ) -> (limbs: [UInt64], bytes: [UInt8]) {
        var limbs = [UInt64](repeating: 0, count: 5)
        var out = [UInt8](repeating: 0, count: 32)
        probe_curve25519(operation, a, b, &limbs, &out)
        return (limbs, out.reversed())
    }

    @Test func `curve25519's field is right at every extreme of its limbs`() {
        var generator = SeededGenerator("fe")
        for round in 0..<200 {
            let all = round == 0
            let a =
                all
                ? [UInt64](repeating: Self.tight, count: 5) : extremes(5, Self.tight, &generator)
            let b = all ? a : extremes(5, Self.tight, &generator)
            let (x, y) = (value(a, bits: 51), value(b, bits: 51))
            // 8 p keeps the difference above zero.
            let above = ReferenceModular.add(x, ReferenceModular.multiply(ed25519, [8]))

            let sum = curve25519(PROBE_ADD, a, b)
            #expect(sum.bytes == ReferenceModular.remainder(ReferenceModular.add(x, y), ed25519))
            #expect(sum.limbs.allSatisfy { $0 < 1 << 52 + 1 << 14 })
            let difference = curve25519(PROBE_SUB, a, b)
            #expect(
                difference.bytes
                    == ReferenceModular.remainder(ReferenceModular.subtract(above, y), ed25519)
            )
            #expect(difference.limbs.allSatisfy { $0 < Self.tight + 1 << 52 })
        }
    }

    @Test func `loose subtraction and multiplication take the largest limbs they may`() {
        var generator = SeededGenerator("fe loose")
        for round in 0..<200 {
            let a = extremes(5, Self.loose, &generator)
            let b = round == 0 ? a.map { _ in Self.loose } : extremes(5, Self.loose, &generator)
            let (x, y) = (value(a, bits: 51), value(b, bits: 51))
            let product = curve25519(PROBE_MUL, a, b)
            #expect(
                product.bytes
                    == ReferenceModular.remainder(ReferenceModular.multiply(x, y), ed25519)
            )
            #expect(product.limbs.allSatisfy { $0 <= Self.tight })

            let c = extremes(5, (1 << 53) - 77, &generator)
            let less = a.map { $0 >> 2 }
            let found = curve25519(PROBE_SUB_LOOSE, less, c)
            let above = ReferenceModular.add(
                value(less, bits: 51),
                ReferenceModular.multiply(ed25519, [16])
            )
            #expect(
                found.bytes
                    == ReferenceModular.remainder(
                        ReferenceModular.subtract(above, value(c, bits: 51)),
                        ed25519
                    )
            )
            #expect(found.limbs.allSatisfy { $0 <= Self.loose })
        }
    }

    @Test func `secp256k1's field is right at every extreme of its limbs`() {
        var generator = SeededGenerator("fp")
        for round in 0..<200 {
            // The smallest less the largest borrows twice; the largest twice carry twice.
            var a = extremes(4, .max, &generator)
            var b = extremes(4, .max, &generator)
            if round < 20 { (a, b) = ([UInt64(round), 0, 0, 0], [.max, .max, .max, .max]) }
            if round == 20 { (a, b) = ([.max, .max, .max, .max], [.max, .max, .max, .max]) }
            let (x, y) = (value(a, bits: 64), value(b, bits: 64))
            let above = ReferenceModular.add(x, ReferenceModular.multiply(secp256k1, [2]))
            let expected = [
                (PROBE_ADD, ReferenceModular.add(x, y)),
                (PROBE_SUB, ReferenceModular.subtract(above, y)),
                (PROBE_MUL, ReferenceModular.multiply(x, y)),
            ]
            for (operation, value) in expected {
                var out = [UInt8](repeating: 0, count: 32)
                probe_secp256k1(operation, a, b, &out)
                #expect(out == ReferenceModular.remainder(value, secp256k1))
            }
        }
    }

    @Test func `an inverse times its number is one, and zero has zero`() {
        var generator = SeededGenerator("inverse")
        let one = [UInt8](repeating: 0, count: 31) + [1]
        for _ in 0..<60 {
            let a = extremes(5, Self.loose, &generator)
            let inverse = curve25519(PROBE_INVERT, a, a)
            let product = curve25519(PROBE_MUL, inverse.limbs, a)
            let isZero = ReferenceModular.remainder(value(a, bits: 51), ed25519).allSatisfy {
                $0 == 0
            }
            #expect(product.bytes == (isZero ? [UInt8](repeating: 0, count: 32) : one))

            let b = extremes(4, .max, &generator)
            var out = [UInt8](repeating: 0, count: 32)
            probe_secp256k1(PROBE_INVERT, b, b, &out)
            let back = ReferenceModular.multiply(out, value(b, bits: 64))
            let rest = ReferenceModular.remainder(back, secp256k1)
            #expect(rest == one || out.allSatisfy { $0 == 0 })
        }
    }

    /// 48 bytes whose first fold leaves 2²⁵⁶ - 1 - less, so that the second one carries.
    private func carrying(_ modulus: [UInt8], high: [UInt8], less: UInt8) -> [UInt8] {
        let power = [1] + [UInt8](repeating: 0, count: 32)
        let fold = ReferenceModular.subtract(power, modulus)
        let folded = ReferenceModular.remainder(
            ReferenceModular.multiply(high, fold),
            power
        )
        let top = [UInt8](repeating: 0xff, count: 31) + [0xff - less]
        let low = ReferenceModular.subtract(ReferenceModular.add(power, top), folded)
        return high + low.suffix(32)
    }

    @Test func `48 bytes reduce where every carry happens`() {
        var generator = SeededGenerator("48 bytes")
        for round in 0..<80 {
            let high =
                round < 8
                ? [UInt8](repeating: 0xff, count: 16)
                : [0xff] + generator.bytes(15)
            for modulus in [secp256k1, secp256k1Order] {
                let random = high + generator.bytes(32)
                for input in [carrying(modulus, high: high, less: UInt8(round % 8)), random] {
                    let expected = ReferenceModular.remainder(input, modulus)
                    var out = [UInt8](repeating: 0, count: 32)
                    if modulus == secp256k1 {
                        probe_secp256k1_load48(input, &out)
                    } else {
                        out = Hash.scalarReduce48(input).array
                    }
                    #expect(out == expected, "\(Hex.encode(input))")
                }
            }
        }
    }
}
