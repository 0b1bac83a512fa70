"""The names that XMP properties go by: a namespace's URI, a space, the local name (ISO 16684-1).

Namespaces are told apart by their URI alone; a prefix means nothing by itself.
"""

RDF_NS = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XML_NS = "http://www.w3.org/XML/1998/namespace"
X_NS = "adobe:ns:meta/"
DC_NS = "http://purl.org/dc/elements/1.1/"
TIFF_NS = "http://ns.adobe.com/tiff/1.0/"
EXIF_NS = "http://ns.adobe.com/exif/1.0/"
EXIF_EX_NS = "http://cipa.jp/exif/1.0/"
AUX_NS = "http://ns.adobe.com/exif/1.0/aux/"
PHOTOSHOP_NS = "http://ns.adobe.com/photoshop/1.0/"
XMP_NS = "http://ns.adobe.com/xap/1.0/"
LR_NS = "http://ns.adobe.com/lightroom/1.0/"
MICROSOFT_NS = "http://ns.microsoft.com/photo/1.0"
TAGLINE_NS = "urn:tagline:xmp:1.0/"
"""Tagline's own namespace; its properties stand in sidecars that Tagline made."""

PREFIXES = {
    RDF_NS: "rdf",
    DC_NS: "dc",
    TIFF_NS: "tiff",
    EXIF_NS: "exif",
    PHOTOSHOP_NS: "photoshop",
    XMP_NS: "xmp",
    TAGLINE_NS: "tagline",
}
"""The prefix that Tagline declares for a namespace that it writes in."""

RDF = f"{RDF_NS} RDF"
RDF_DESCRIPTION = f"{RDF_NS} Description"
RDF_ABOUT = f"{RDF_NS} about"
RDF_LI = f"{RDF_NS} li"
RDF_VALUE = f"{RDF_NS} value"
RDF_PARSE_TYPE = f"{RDF_NS} parseType"
RDF_ARRAYS = frozenset({f"{RDF_NS} Alt", f"{RDF_NS} Bag", f"{RDF_NS} Seq"})
XML_LANG = f"{XML_NS} lang"
X_TOOLKIT = f"{X_NS} xmptk"

DC_DESCRIPTION = f"{DC_NS} description"
TIFF_DESCRIPTION = f"{TIFF_NS} ImageDescription"
TIFF_MAKE = f"{TIFF_NS} Make"
TIFF_MODEL = f"{TIFF_NS} Model"
TIFF_ORIENTATION = f"{TIFF_NS} Orientation"
EXIF_USER_COMMENT = f"{EXIF_NS} UserComment"
EXIF_TAKEN_AT = f"{EXIF_NS} DateTimeOriginal"
EXIF_LATITUDE = f"{EXIF_NS} GPSLatitude"
EXIF_LONGITUDE = f"{EXIF_NS} GPSLongitude"
EXIF_ALTITUDE = f"{EXIF_NS} GPSAltitude"
EXIF_ALTITUDE_REF = f"{EXIF_NS} GPSAltitudeRef"
EXIF_EX_LENS = f"{EXIF_EX_NS} LensModel"
EXIF_EX_OFFSET = f"{EXIF_EX_NS} OffsetTimeOriginal"
AUX_LENS = f"{AUX_NS} Lens"
PHOTOSHOP_CREATED = f"{PHOTOSHOP_NS} DateCreated"
DC_TITLE = f"{DC_NS} title"
DC_SUBJECT = f"{DC_NS} subject"
HIERARCHICAL_SUBJECT = f"{LR_NS} hierarchicalSubject"
XMP_RATING = f"{XMP_NS} Rating"
MICROSOFT_RATING = f"{MICROSOFT_NS} Rating"
MICROSOFT_RATING_TOO = f"{MICROSOFT_NS}/ Rating"
"""The namespace is spelt with a slash at its end by some programs, without one by others."""
FINGERPRINT = f"{TAGLINE_NS} Fingerprint"

LISTS = frozenset({DC_SUBJECT, HIERARCHICAL_SUBJECT})
"""Properties whose value is an rdf:Bag."""

ALTERNATIVES = frozenset({DC_DESCRIPTION, DC_TITLE, TIFF_DESCRIPTION, EXIF_USER_COMMENT})
"""Properties whose value is a language alternative; what is in neither set is a plain text."""

X_DEFAULT = "x-default"
"""The language of the item that is meant for everybody (ISO 16684-1, 8.2.2.4)."""


def local_name(name: str) -> str:
    """The part of an expanded name behind its namespace."""
    return name.rpartition(" ")[2]


def namespace_of(name: str) -> str:
    """The namespace's URI of an expanded name; empty where it has none."""
    return name.rpartition(" ")[0]
