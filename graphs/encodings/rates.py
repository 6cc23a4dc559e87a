"""What do published formulas say of pruned and shared weights? Deep Compression and its filler zeros."""

from __future__ import annotations


def filler_share(kept: float, index_bits: int) -> float:
    """Filler zeros per kept weight, zeros anywhere: phi = q^L / (1 - q^L), q = 1 - kept, L = 2^index_bits.

    A gap of more than L needs a filler for every full L: the sum of q^(kL), k = 1, 2, ...

    >>> round(filler_share(0.09, 4), 4)
    0.2843
    """
    run = (1 - kept) ** (1 << index_bits)
    return run / (1 - run)


def deep_compression_rate(
    count: float, kept: float, *, weight_bits: float, index_bits: float, codes: int, span_bits: int
) -> float:
    """Stored / original: kept * (1 + phi) * (weight bits + index bits) / 32 + codes / count (float32 codes).

    arXiv 1510.00149. Huffman coding changes the bits that are counted, not the `span_bits` of a gap.

    Args:
        count: weights of the tensor.
        weight_bits, index_bits: mean bits of one entry.
        codes: of the codebook, 32 bits each.
        span_bits: of an index before Huffman coding: gaps up to 2^span_bits need no filler.
    """
    entries = kept * (1 + filler_share(kept, span_bits))
    return entries * (weight_bits + index_bits) / 32 + codes / count


def clustered_share(count: int, codes: int, bits: int) -> float:
    """Stored / original of shared values: (n ceil(log2 K) + K b) / (n b).

    >>> 1 / clustered_share(16, 4, 32)  # the example of Deep Compression
    3.2
    """
    from .bits import width_of

    return (count * width_of(codes) + codes * bits) / (count * bits)
