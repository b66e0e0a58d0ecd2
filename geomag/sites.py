"""Named detector sites.

Latitude and longitude are geodetic (WGS84), degrees, east positive.  The altitude is that of the surface of rock,
ice or sea straight above the detector, where the air ends and no more neutrinos are made; it is not that of the
detector.  Unless its line names a source, it is from memory, good to some 50 m (6 g/cm2 of air, which moves no flux by
1%).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from geomag.errors import GeomagInputError


@dataclass(frozen=True)
class Site:
    """A detector site.

    Parameters
    ----------
    name : str
        Lower-case name, used in file names.
    lat, lon : float
        Geodetic latitude and longitude, degrees, east positive.
    description : str
        Which experiment or laboratory.
    surface_m : float
        Altitude of the surface straight above the detector, metres above sea level.
    """

    name: str
    lat: float
    lon: float
    description: str
    surface_m: float = 0.0


_ALL = (
    # 36 25' 32.6" N, 137 18' 37.1" E: Super-Kamiokande, Y. Fukuda et al., NIM A 501 (2003) 418
    # 1000 m below the top of Mt. Ikenoyama (ibid.; www-sk.icrr.u-tokyo.ac.jp), detector at 370 m
    Site("kamioka", 36.4257, 137.3103, "Super-Kamiokande, Hyper-Kamiokande region (Japan)", 1370.0),
    # 46 28' 30" N, 81 12' 04" W: J. Boger et al. (SNO), NIM A 449 (2000) 172
    # surface at 309 m, about flat: SNOLAB's description of its site
    Site("sno", 46.475, -81.2011, "SNO and SNO+, Creighton mine, Sudbury (Canada)", 309.0),
    # 42 27' N, 13 34' E: the underground halls, www.lngs.infn.it
    # halls at 963 m, 1400 m of rock
    Site("gransasso", 42.4528, 13.5744, "LNGS, Gran Sasso (Italy)", 2360.0),
    # 47 49' N, 92 15' W: MINOS far detector, D. G. Michael et al., NIM A 596 (2008) 190
    # 705 m below the surface, 210 m below sea level (ibid.)
    Site("soudan", 47.8203, -92.2414, "Soudan mine, MINOS (USA)", 495.0),
    # 89 59.4' S, 63 27' W: IceCube, M. G. Aartsen et al., JINST 12 (2017) P03012; azimuths stay defined there
    # surface of the ice
    Site("southpole", -89.99, -63.4531, "IceCube (Antarctica)", 2835.0),
    # middle of the road tunnel between Modane and Bardonecchia: LSM, www.lsm.in2p3.fr
    # laboratory at 1263 m, 1700 m of rock
    Site("frejus", 45.14, 6.69, "LSM, Frejus tunnel (France, Italy)", 2960.0),
    # 9 58' N, 77 16' E: INO at the Bodi West hills, S. Ahmed et al., Pramana 88 (2017) 79
    # the peak
    Site("ino", 9.963, 77.273, "INO-ICAL, Bodi West hills (India)", 1590.0),
    # 63 39' 31" N, 26 02' 48" E: LAGUNA site study, D. Angus et al., arXiv:1001.0077
    # flat
    Site("pyhasalmi", 63.6586, 26.0467, "Pyhasalmi mine (Finland)", 150.0),
    # 22 07' N, 112 31' E: F. An et al. (JUNO), J. Phys. G 43 (2016) 030401
    # the hill above the hall
    Site("juno", 22.1181, 112.5181, "JUNO, Jiangmen (China)", 250.0),
    # 44 21' N, 103 45' W: the Yates shaft, Lead, South Dakota; DUNE far detector, arXiv:2002.02967
    # collar of the shaft
    Site("surf", 44.352, -103.751, "SURF, DUNE far detector (USA)", 1620.0),
    # 42 48' N, 6 02' E and 36 16' N, 16 06' E: KM3NeT 2.0, J. Phys. G 43 (2016) 084001
    # the surface of the sea
    Site("orca", 42.8, 6.0333, "KM3NeT/ORCA (Mediterranean off Toulon)", 0.0),
    Site("arca", 36.2667, 16.1, "KM3NeT/ARCA (Mediterranean off Sicily)", 0.0),
)

_LATER = (
    # Wikipedia, "China Jinping Underground Laboratory", and geoneutrinos.org's detectors; 2400 m under a peak of 4000 m
    Site("jinping", 28.1532, 101.7114, "CJPL, Jinping mountains, Sichuan (China)", 4000.0),
    # locations.py of github.com/lopez86/PyWIMPs; geoneutrinos.org has 54.5551, -0.8009 (1.5 km east), surface at 85 m
    Site("boulby", 54.5534, -0.8245, "Boulby mine, North Yorkshire (United Kingdom)", 85.0),
    # geoneutrinos.org's detectors, and 51 46' N, 104 24' E in programs of Baikal-GVD; the lake at 455.5 m
    Site("baikal", 51.771, 104.398, "Baikal-GVD, Lake Baikal (Russia)", 456.0),
    # the Cascadia Basin node: github.com/PLEnuM-group/Plenum; geoneutrinos.org has 47.77, -127.77 (4 km away); the sea
    Site("p-one", 47.7423, -127.7293, "P-ONE, Cascadia Basin (Pacific off Vancouver Island)", 0.0),
    # geoneutrinos.org's detectors, and a summary of TRIDENT's papers (emergentmind.com, TRIDENT); the sea
    Site("trident", 17.4, 114.0, "TRIDENT (South China Sea)", 0.0),
    # Wikipedia, "Kamioka Liquid Scintillator Antineutrino Detector"; 1000 m under the top of Mt. Ikenoyama (1368 m):
    # www.awa.tohoku.ac.jp/kamland
    Site("kamland", 36.4225, 137.3153, "KamLAND, Kamioka mine (Japan)", 1370.0),
)
"""Sites that came later. Which places two sources confirm is in docs/reports/site-fluxes.md."""

SITES: dict[str, Site] = {s.name: s for s in (*_ALL, *_LATER)}
"""All named sites by name."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a question after the name that was meant, for an error message; empty if none is near.

    Parameters
    ----------
    name : str
    known : iterable of str
        The names there are.

    Returns
    -------
    str

    Examples
    --------
    >>> nearest("Kamiokka", SITES), nearest("xyz", SITES)
    (" (did you mean 'kamioka'?)", '')
    """
    by_lower = {one.lower(): one for one in known}
    near = difflib.get_close_matches(str(name).strip().lower(), by_lower, 1)
    return f" (did you mean {by_lower[near[0]]!r}?)" if near else ""


def site(name: str) -> Site:
    """Look up a site by its name, in any case.

    Parameters
    ----------
    name : str
        Such as "kamioka".

    Returns
    -------
    Site
        The site.

    Examples
    --------
    >>> site("kamioka").lat, site("kamioka").lon
    (36.4257, 137.3103)
    """
    found = SITES.get(str(name).strip().lower())
    if found is None:
        raise GeomagInputError(
            f"site = {name!r} is unknown{nearest(name, SITES)}: the named sites are {', '.join(sorted(SITES))}"
        )
    return found
