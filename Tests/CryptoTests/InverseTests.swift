import CKernelProbe
import TestSupport
import Testing

/// Words of 2^256 - c, the least significant first.
private let moduli: [(name: probe_modulus, words: [UInt64])] = [
    (PROBE_P25519, [.max - 18, .max, .max, .max >> 1]),
    (PROBE_SECP256K1, [0xffff_fffe_ffff_fc2f, .max, .max, .max]),
    (
        PROBE_SECP256K1_ORDER,
        [0xbfd2_5e8c_d036_4141, 0xbaae_dce6_af48_a03b, 0xffff_ffff_ffff_fffe, .max]
    ),
]

/// A value and its neighbour one above, or one below, modulo 2²⁵⁶.
private func above(_ value: [UInt64]) -> [UInt64] {
    var out = value
    for index in 0..<4 {
        out[index] &+= 1
        if out[index] != 0 { break }
    }
    return out
}

private func below(_ value: [UInt64]) -> [UInt64] {
    var out = value
    for index in 0..<4 {
        out[index] &-= 1
        if out[index] != .max { break }
    }
    return out
}

private func isZero(_ value: ArraySlice<UInt64>) -> Bool { value.allSatisfy { $0 == 0 } }

/// 2ᵇⁱᵗ
private func power(_ bit: Int) -> [UInt64] {
    (0..<4).map { $0 == bit / 64 ? 1 << UInt64(bit % 64) : 0 }
}

/// Ones from bit `first` on, up to below bit `end`.
private func ones(_ first: Int, _ end: Int) -> [UInt64] {
    (0..<4).map { index in
        (0..<64).reduce(0) { word, bit in
            (first..<end).contains(64 * index + bit) ? word | 1 << UInt64(bit) : word
        }
    }
}

/// Words that are random or a run of ones beside a run of zeros.
private func random(_ generator: inout SeededGenerator) -> [UInt64] {
    var out: [UInt64] = [0, 0, 0, 0]
    for index in 0..<4 {
        let word = generator.next()
        switch generator.next() % 8 {
        case 0: out[index] = 0
        case 1: out[index] = .max
        case 2: out[index] = .max >> (word & 63)
        case 3: out[index] = .max << (word & 63)
        default: out[index] = word
        }
    }
    return out
}

struct InverseTests {
    private func holds(_ modulus: probe_modulus, _ value: [UInt64]) -> Bool {
        var out: [UInt64] = [1, 1, 1, 1]
        probe_inverse(modulus, value, &out)
        return probe_inverse_holds(modulus, value, out) == 1
    }

    /// The modulus, twice it and their neighbours, the least and the greatest, powers and runs.
    private func edges(_ modulus: [UInt64]) -> [[UInt64]] {
        let double = (0..<4).map { modulus[$0] << 1 | ($0 > 0 ? modulus[$0 - 1] >> 63 : 0) }
        let most: [UInt64] = [.max, .max, .max, .max]
        var out: [[UInt64]] = [[0, 0, 0, 0], [1, 0, 0, 0], [2, 0, 0, 0], most, below(most)]
        for value in [modulus, double] { out += [below(value), value, above(value)] }
        for bit in 0..<256 {
            out += [power(bit), below(power(bit)), above(power(bit)), ones(bit, 256)]
        }
        return out
    }

    @Test func `the inverse of every edge value times the value is one`() {
        for modulus in moduli {
            for value in edges(modulus.words) {
                #expect(holds(modulus.name, value), "\(modulus.name.rawValue) \(value)")
            }
        }
    }

    @Test func `only multiples of the modulus have the inverse zero`() {
        for modulus in moduli {
            for value in [[0, 0, 0, 0], modulus.words] {
                var out: [UInt64] = [1, 1, 1, 1]
                probe_inverse(modulus.name, value, &out)
                #expect(isZero(out[...]))
                probe_inverse(modulus.name, above(value), &out)
                #expect(out == [1, 0, 0, 0])
                probe_inverse(modulus.name, below(modulus.words), &out)
                #expect(out == below(modulus.words))
            }
        }
    }

    @Test func `the inverse of random values times the value is one`() {
        var generator = SeededGenerator("inverse by division steps")
        for modulus in moduli {
            var wrong = 0
            for _ in 0..<100_000 where !holds(modulus.name, random(&generator)) { wrong += 1 }
            #expect(wrong == 0)
        }
    }

    /// Values below the modulus, with zeros where the mask has ones.
    private func values(
        _ count: Int,
        zeros: Int,
        _ modulus: [UInt64],
        _ generator: inout SeededGenerator
    ) -> [UInt64] {
        (0..<count).flatMap { index -> [UInt64] in
            if zeros >> index & 1 == 1 { return [0, 0, 0, 0] }
            if generator.next() % 8 == 0 { return below(modulus) }
            return (0..<4).map { generator.next() >> ($0 < 3 ? 0 : 2) }
        }
    }

    private func areInverses(
        _ modulus: probe_modulus,
        _ values: [UInt64],
        _ found: [UInt64]
    ) -> Bool {
        stride(from: 0, to: values.count, by: 4).allSatisfy { first in
            let (value, inverse) = (values[first..<first + 4], found[first..<first + 4])
            return probe_inverse_holds(modulus, Array(value), Array(inverse)) == 1
                && isZero(value) == isZero(inverse)
        }
    }

    @Test(arguments: ["portable", "avx512"])
    func `lanes that share an inversion have their own inverses, and zeros zero`(row: String) {
        var generator = SeededGenerator("inverses in lanes")
        for zeros in 0..<256 {
            let values = values(8, zeros: zeros, moduli[0].words, &generator)
            var found = values
            let count = Int(probe_inverse_lanes(row, &found))
            guard count > 0 else { return }
            let used = 4 * count
            #expect(
                areInverses(PROBE_P25519, Array(values[..<used]), Array(found[..<used])),
                "\(zeros)"
            )
        }
    }
}
