public import Bytes

extension Secp256k1 {
    /// The address of a point: last 20 bytes of Keccak-256(x ‖ y). False if there is no point.
    @_noLocks
    public func address(of point: CurvePoint, into address: inout Address) -> Bool {
        var affine = Bytes64()
        let found = affine.withRegion { affine in
            guard write(point, affine: affine) else { return false }
            Hash.keccak256(affine, into: affine.slice(0, 32))
            address = affine.load(12)
            return true
        }
        return found
    }

    /// The address of a point x ‖ y (control plane).
    public static func address(affine: Bytes64) -> Address {
        var address = Address()
        let digest = Hash.keccak256(affine.array)
        for index in 0..<20 { address[index] = digest[12 + index] }
        return address
    }
}
