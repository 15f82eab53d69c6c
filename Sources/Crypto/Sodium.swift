internal import CSodium

enum Sodium {
    /// Calls sodium_init once; cheap afterwards. Functions that draw randomness or take secret
    /// memory need it, the others work without.
    static func start() { _ = started }

    private static let started: Bool = {
        guard sodium_init() >= 0 else { fatalError("libsodium does not start") }
        return true
    }()
}
