public import Bytes
internal import CHost

#if canImport(Glibc)
internal import Glibc
#endif

/// Zeroed memory that can outlive the process: a descriptor stands for it, and whoever inherits
/// that maps the same bytes again, elsewhere. What lies in it must know no addresses.
///
/// It may hold secrets: the descriptor is closed by `exec` unless it is handed over on purpose.
@safe
public final class SharedPages: @unchecked Sendable {
    /// All of it; valid while this object lives.
    public let region: Region
    /// What it lies on.
    public let kind: MappedPages.Kind
    private let descriptor: Int32

    /// Maps `byteCount` zero bytes.
    ///
    /// - Parameter wide: the memory is used all over: it is taken at once, on huge pages if there
    ///   are some or the kernel can make some. Otherwise it is taken as it is used.
    public init(_ byteCount: Int, wide: Bool) throws(DatapathError) {
        var base: UnsafeMutableRawPointer?
        var pages = HOST_PAGES_SMALL
        var descriptor: Int32 = -1
        let status = unsafe host_share(byteCount, wide ? 1 : 0, &descriptor, &base, &pages)
        guard status >= 0, let base = unsafe base else { throw .system("memfd_create", -status) }
        unsafe region = Region(base: base, byteCount: byteCount)
        kind = MappedPages.Kind(pages)
        self.descriptor = descriptor
    }

    /// Maps memory that somebody else made, of exactly `byteCount` bytes; the descriptor is this
    /// object's from now on, whatever happens.
    public init(adopting descriptor: Int32, byteCount: Int) throws(DatapathError) {
        var base: UnsafeMutableRawPointer?
        var pages = HOST_PAGES_SMALL
        let status = unsafe host_adopt(descriptor, byteCount, &base, &pages)
        guard status >= 0, let base = unsafe base else {
            close(descriptor)
            throw .system("memory that was handed over", -status)
        }
        unsafe region = Region(base: base, byteCount: byteCount)
        kind = MappedPages.Kind(pages)
        self.descriptor = descriptor
    }

    /// Maps all of what somebody else made; the descriptor is this object's from now on, whatever
    /// happens.
    public convenience init(adopting descriptor: Int32) throws(DatapathError) {
        var status = stat()
        let isSeen = unsafe fstat(descriptor, &status) == 0
        try self.init(adopting: descriptor, byteCount: isSeen ? Int(status.st_size) : 0)
    }

    /// Another descriptor of the memory, for handing it over; the caller's to close.
    public func share() throws(DatapathError) -> Int32 { try Host.share(descriptor) }

    deinit {
        unsafe host_unmap(region.base, region.byteCount)
        close(descriptor)
    }
}

extension MappedPages.Kind {
    init(_ pages: host_pages) {
        self =
            switch pages {
            case HOST_PAGES_HUGE: .huge
            case HOST_PAGES_ADVISED: .advised
            default: .small
            }
    }
}
