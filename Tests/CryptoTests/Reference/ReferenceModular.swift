/// Whole numbers as bytes, big-endian, by school arithmetic.
enum ReferenceModular {
    static func add(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] {
        let count = max(a.count, b.count) + 1
        var out = [UInt8](repeating: 0, count: count)
        var carry = 0
        for index in 0..<count {
            let left = index < a.count ? Int(a[a.count - 1 - index]) : 0
            let right = index < b.count ? Int(b[b.count - 1 - index]) : 0
            carry += left + right
            out[count - 1 - index] = UInt8(carry & 255)
            carry >>= 8
        }
        return out
    }

    /// a - b, for b ≤ a.
    static func subtract(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] {
        var out = a
        var borrow = 0
        for index in 0..<a.count {
            let right = index < b.count ? Int(b[b.count - 1 - index]) : 0
            let difference = Int(a[a.count - 1 - index]) - right - borrow
            borrow = difference < 0 ? 1 : 0
            out[a.count - 1 - index] = UInt8(truncatingIfNeeded: difference)
        }
        return out
    }

    static func multiply(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] {
        var out = [Int](repeating: 0, count: a.count + b.count)
        for i in a.indices { for k in b.indices { out[i + k + 1] += Int(a[i]) * Int(b[k]) } }
        for index in out.indices.dropFirst().reversed() {
            out[index - 1] += out[index] >> 8
            out[index] &= 255
        }
        return out.map { UInt8($0) }
    }

    /// Long division, one bit at a time; as many bytes as the modulus.
    static func remainder(_ value: [UInt8], _ modulus: [UInt8]) -> [UInt8] {
        let modulus = [0] + modulus
        let count = modulus.count
        var rest = [UInt8](repeating: 0, count: count)
        for bit in 0..<8 * value.count {
            for index in 0..<count {
                rest[index] = rest[index] << 1 | (index + 1 < count ? rest[index + 1] >> 7 : 0)
            }
            rest[count - 1] |= value[bit / 8] >> (7 - bit % 8) & 1
            if !rest.lexicographicallyPrecedes(modulus) { rest = subtract(rest, modulus) }
        }
        return Array(rest.dropFirst())
    }
}
