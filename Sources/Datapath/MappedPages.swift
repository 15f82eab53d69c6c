public import Bytes
internal import CHost

#if canImport(Glibc)
internal import Glibc
#endif

/// Zeroed memory in whole pages, for slabs and tables.
@safe
public final class MappedPages: @unchecked Sendable {
    /// What the memory lies on.
    public enum Kind: Sendable {
        /// Small pages.
        case small
        /// Small pages that the kernel was asked to make huge.
        case advised
        /// Huge pages from the pool.
        case huge
    }

    /// All of it; valid while this object lives.
    public let region: Region
    /// What it lies on.
    public let kind: Kind

    /// Maps `byteCount` bytes, on huge pages if there are some.
    public init(_ byteCount: Int) throws(DatapathError) {
        var base: UnsafeMutableRawPointer?
        var pages = HOST_PAGES_SMALL
        let status = unsafe host_map(byteCount, &base, &pages)
        guard status >= 0, let base = unsafe base else { throw .system("mmap", -status) }
        unsafe region = Region(base: base, byteCount: byteCount)
        kind = Kind(pages)
    }

    deinit { unsafe host_unmap(region.base, region.byteCount) }
}

/// Memory that is a file: what a killed process wrote is there when the next one maps it.
@safe
public final class MappedFile: @unchecked Sendable {
    /// All of it; valid while this object lives.
    public let region: Region

    /// Maps a file, and makes it first if there is none: zeros, readable by its owner only.
    public init(_ path: String, byteCount: Int) throws(DatapathError) {
        var base: UnsafeMutableRawPointer?
        let status = unsafe host_map_file(path, byteCount, &base)
        guard status >= 0, let base = unsafe base else {
            switch -status {
            case EFBIG: throw .fileTooLong(path)
            case ENOSPC, EDQUOT: throw .diskFull(path)
            default: throw .system(path, -status)
            }
        }
        unsafe region = Region(base: base, byteCount: byteCount)
    }

    /// Writes what changed to the disk, and waits for it: once a second, from a housekeeping
    /// thread.
    public func sync() throws(DatapathError) {
        let status = unsafe host_sync(region.base, region.byteCount)
        guard status >= 0 else { throw .system("msync", -status) }
    }

    deinit { unsafe host_unmap_file(region.base, region.byteCount) }
}
