/// The curve -x² + y² = 1 + d·x²·y² over 2²⁵⁵ - 19, as slowly as the equations allow: 16 limbs of
/// 16 bits, double-and-add, points as fractions. Shares nothing with Sources.
struct ReferenceField {
    private var limbs: [Int64]

    static let zero = ReferenceField(0)
    static let one = ReferenceField(1)

    init(_ value: Int64) { limbs = [value] + [Int64](repeating: 0, count: 15) }

    /// Little-endian; any value below 2²⁵⁶.
    init(_ bytes: [UInt8]) {
        limbs = (0..<16).map { Int64(bytes[2 * $0]) | Int64(bytes[2 * $0 + 1]) << 8 }
    }

    /// The value below p, little-endian.
    var bytes: [UInt8] {
        var value = self
        for _ in 0..<4 { value.carry() }
        // Subtract p = 2²⁵⁵ - 19 while that leaves nothing negative.
        for _ in 0..<2 {
            var less = value.limbs
            less[0] += 19
            for index in 0..<15 {
                less[index + 1] += less[index] >> 16
                less[index] &= 0xffff
            }
            guard less[15] >= 0x8000 else { break }
            less[15] -= 0x8000
            value.limbs = less
        }
        return value.limbs.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
    }

    private mutating func carry() {
        for index in 0..<16 {
            let out = limbs[index] >> 16
            limbs[index] &= 0xffff
            if index < 15 { limbs[index + 1] += out } else { limbs[0] += 38 * out }
        }
    }

    static func + (left: Self, right: Self) -> Self {
        var out = left
        for index in 0..<16 { out.limbs[index] += right.limbs[index] }
        out.carry()
        return out
    }

    static func - (left: Self, right: Self) -> Self {
        var out = left
        for index in 0..<16 { out.limbs[index] -= right.limbs[index] }
        out.carry()
        return out
    }

    static func * (left: Self, right: Self) -> Self {
        var columns = [Int64](repeating: 0, count: 31)
        for i in 0..<16 { for k in 0..<16 { columns[i + k] += left.limbs[i] * right.limbs[k] } }
        var out = zero
        for index in 0..<16 {
            out.limbs[index] = columns[index] + (index < 15 ? 38 * columns[index + 16] : 0)
        }
        out.carry()
        out.carry()
        return out
    }

    static func == (left: Self, right: Self) -> Bool { left.bytes == right.bytes }

    /// To the power of 32 bytes, little-endian.
    func power(_ exponent: [UInt8]) -> Self {
        var out = Self.one
        for bit in (0..<256).reversed() {
            out = out * out
            if exponent[bit / 8] >> (bit % 8) & 1 == 1 { out = out * self }
        }
        return out
    }

    /// p + offset as an exponent, shifted right.
    private static func exponent(_ offset: Int, shift: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xff, count: 32)
        bytes[0] = UInt8(0xed + offset)
        bytes[31] = 0x7f
        for _ in 0..<shift {
            for index in 0..<32 {
                bytes[index] = bytes[index] >> 1 | (index < 31 ? bytes[index + 1] << 7 : 0)
            }
        }
        return bytes
    }

    var inverse: Self { power(Self.exponent(-2, shift: 0)) }

    /// A square root, if there is one.
    var root: Self? {
        let candidate = power(Self.exponent(3, shift: 3))
        if candidate * candidate == self { return candidate }
        let other = candidate * Self(2).power(Self.exponent(-1, shift: 2))
        return other * other == self ? other : nil
    }

    var isOdd: Bool { bytes[0] & 1 == 1 }
}

struct ReferencePoint {
    /// x = X / Z, y = Y / Z.
    let x, y, z: ReferenceField

    static let neutral = ReferencePoint(x: .zero, y: .one, z: .one)
    static let d =
        ReferenceField.zero - ReferenceField(121_665) * ReferenceField(121_666).inverse

    private init(x: ReferenceField, y: ReferenceField, z: ReferenceField) {
        (self.x, self.y, self.z) = (x, y, z)
    }

    /// Decodes; y need not be below p, and the sign bit counts for nothing where x is 0.
    init?(_ bytes: [UInt8]) {
        let y = ReferenceField(Array(bytes[0..<31]) + [bytes[31] & 0x7f])
        let yy = y * y
        guard let root = ((yy - .one) * (Self.d * yy + .one).inverse).root else { return nil }
        let negate = root.isOdd != (bytes[31] >> 7 == 1)
        self.init(x: negate ? .zero - root : root, y: y, z: .one)
    }

    var bytes: [UInt8] {
        let inverse = z.inverse
        var out = (y * inverse).bytes
        if (x * inverse).isOdd { out[31] |= 0x80 }
        return out
    }

    /// x = (x1 y2 + x2 y1) / (1 + d x1 x2 y1 y2), y = (y1 y2 + x1 x2) / (1 - d x1 x2 y1 y2)
    static func + (left: Self, right: Self) -> Self {
        let zz = left.z * right.z
        let xx = left.x * right.x
        let yy = left.y * right.y
        let dxy = d * xx * yy
        let plus = zz * zz + dxy
        let minus = zz * zz - dxy
        return Self(
            x: (left.x * right.y + right.x * left.y) * minus * zz,
            y: (yy + xx) * plus * zz,
            z: plus * minus
        )
    }

    /// scalar · point, 32 bytes little-endian.
    static func * (scalar: [UInt8], point: Self) -> Self {
        var out = neutral
        for bit in (0..<256).reversed() {
            out = out + out
            if scalar[bit / 8] >> (bit % 8) & 1 == 1 { out = out + point }
        }
        return out
    }
}
