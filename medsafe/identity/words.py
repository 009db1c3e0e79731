"""The language of orders: forms, release, routes, salts, times. Words of the craft; no drug stands here.

A word listed here may stand beside a drug's name without changing which drug is meant. That is a promise: a word that
can change the drug ("peg", "fos", an ester that is another drug) must never be added.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


def _table(text: str) -> Mapping[str, str]:
    """Read "value: phrase | phrase" entries, which may run over lines, as {phrase: value}."""
    found: dict[str, str] = {}
    value = ""
    for piece in text.replace(":", ":|").replace("\n        ", " ").replace("\n", "|").split("|"):
        piece = piece.strip()
        if piece.endswith(":"):
            value = piece[:-1]
        elif piece:
            found[piece] = value
    return MappingProxyType(found)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FORM_WORDS = _table(
    """
    tablet: tablet | tablets | tab | tabs | tb | caplet | caplets | pill | pills | chewable tablet | chewable
        tablets | chewable | tablet for oral suspension | oral tab | filmtab
    capsule: capsule | capsules | cap | caps | softgel | softgels | gelcap | gelcaps | sprinkle
    oral solution: oral solution | oral soln | oral liquid | liquid | elixir | syrup | linctus | oral drops | oral
        concentrate | concentrate | oral conc | solution | soln | powder for oral solution | concentrated oral
        solution
    oral suspension: oral suspension | oral susp | suspension | susp | powder for oral suspension | granules for
        oral suspension
    granules: granules | oral granules | delayed release oral granules | sachet | sachets | oral powder | packet |
        packets | oral pellet
    orodispersible tablet: orodispersible tablet | orodispersible tablets | orodispersible | odt | orally
        disintegrating tablet | orally disintegrating tablets | orally disintegrating | disintegrating oral tablet |
        disintegrating tablet | melt tablet | oral lyophilisate
    sublingual tablet: sublingual tablet | sublingual tablets | sl tab | sl tablet
    buccal tablet: buccal tablet | buccal tablets
    lozenge: lozenge | lozenges | oral lozenge | lollipop | troche
    film: film | films | buccal film | sublingual film | oral film | soluble film | oral strip
    nasal spray: nasal spray | nasal solution | metered dose nasal spray
    oral spray: oral spray | mucosal spray | sublingual spray | oromucosal spray | translingual spray
    inhaler: inhaler | metered dose inhaler | mdi | pmdi | dry powder inhaler | dpi | inhalation powder | accuhaler
        | turbohaler | diskus | evohaler | respimat | hfa | aerosol
    nebuliser solution: nebuliser solution | nebulizer solution | inhalation solution | inhalant solution | nebules
        | nebs | respules | nebuliser liquid
    patch: patch | patches | transdermal patch | transdermal patches | transdermal system | td patch | transdermal
        patch system | extended release patch | matrix patch | pt72 | ptwk
    plaster: plaster | plasters | medicated plaster | medicated patch
    suppository: suppository | suppositories | supp | supps | rectal suppository
    enema: enema | enemas | rectal solution | rectal foam | rectal gel
    injection: injection | injections | inj | injectable | injectable solution | injectable suspension | solution
        for injection | powder for injection | powder for solution for injection | suspension for injection |
        concentrate for solution for infusion | prefilled syringe | pre filled syringe | prefilled pen | pre filled
        pen | pen injector | auto injector | autoinjector | ampoule | ampoules | amp | amps | ampule | vial | vials
        | cartridge | syringe | flexpen | kwikpen | solostar
    depot injection: depot injection | depot | long acting injection | lai | extended release suspension for
        injection | extended release injectable suspension
    infusion: infusion | solution for infusion | infusion bag | premix bag | concentrate for infusion
    cream: cream | crm | topical cream | rectal cream | vaginal cream
    ointment: ointment | oint | topical ointment | rectal ointment
    gel: gel | topical gel | topical lotion | lotion | topical solution | topical foam | topical spray | shampoo
    eye drops: eye drops | eye drop | ophthalmic solution | ophthalmic suspension | eye ointment | ophthalmic
        ointment
    ear drops: ear drops | otic solution | otic suspension
    mouthwash: mouthwash | mouth wash | oral rinse
    oral gel: oral gel | oromucosal gel
    pessary: pessary | pessaries | vaginal tablet | vaginal insert
    implant: implant | drug implant | depot implant
    powder: powder
    effervescent: effervescent | effervescent tablet | effervescent tablets | effervescent oral tablet
    soluble: soluble tablet | soluble tablets | dispersible tablet | dispersible tablets | dispersible
    liposomal: liposomal | pegylated liposomal | liposome injection
    """
)

RELEASE_WORDS = _table(
    """
    modified-release: modified release | extended release | sustained release | prolonged release | controlled
        release | slow release | long acting | mr | er | xr | sr | cr | xl | la | cd | pr tablet | pr capsule |
        retard | ext rel | extended rel | m r | 12hr | 24hr
    immediate-release: immediate release | ir | instant release | normal release | fast acting | short acting |
        rapid release
    gastro-resistant: gastro resistant | gastroresistant | enteric coated | delayed release | dr | ec | e c
    """
)

ROUTE_WORDS = _table(
    """
    oral: oral | orally | po | by mouth | per os | p o
    sublingual: sublingual | sublingually | sl
    buccal: buccal | buccally
    oromucosal: oromucosal | transmucosal | mucosal
    intranasal: intranasal | nasal | nasally
    inhaled: inhaled | inhalation | inh | nebulised | nebulized | neb
    transdermal: transdermal | td | transdermally
    topical: topical | topically | cutaneous
    rectal: rectal | rectally
    vaginal: vaginal | vaginally | pv
    ophthalmic: ophthalmic | ocular
    otic: otic
    subcutaneous: subcutaneous | subcutaneously | subcut | sc | sq | subq | s c
    intramuscular: intramuscular | intramuscularly | im | i m
    intravenous: intravenous | intravenously | iv | i v | iv push | iv bolus
    intravenous infusion: intravenous infusion | iv infusion | iv drip | civi
    subcutaneous infusion: subcutaneous infusion | csci | syringe driver | syringe pump
    epidural: epidural
    intrathecal: intrathecal | it
    gastrostomy tube: gastrostomy tube | via peg | per peg | peg tube | via gastrostomy
    jejunostomy tube: jejunostomy tube | via pej | pej tube
    nasogastric tube: nasogastric tube | nasogastric | ng tube | via ng | ng
    """
)

# The route a form can only be given by, where the text names none.
ROUTE_OF_FORM = MappingProxyType(
    {
        "patch": "transdermal",
        "suppository": "rectal",
        "enema": "rectal",
        "nasal spray": "intranasal",
        "sublingual tablet": "sublingual",
        "buccal tablet": "buccal",
        "inhaler": "inhaled",
        "nebuliser solution": "inhaled",
        "eye drops": "ophthalmic",
        "ear drops": "otic",
        "pessary": "vaginal",
        "tablet": "oral",
        "capsule": "oral",
        "oral solution": "oral",
        "oral suspension": "oral",
        "orodispersible tablet": "oral",
        "granules": "oral",
        "plaster": "topical",
    }
)

# Salts and esters that do not change which drug is meant. Not here on purpose: butylbromide, methonitrate,
# mononitrate, dinitrate, benzathine, salicylate, hydroxide: with them it is another drug or another product.
SALTS = _words(
    """
    acetate anhydrous arginine aspartate axetil besilate besylate bitartrate bromide butyrate calcium camsylate
    carbonate chloride cilexetil cipionate citrate cypionate decanoate diethylamine dihydrate dihydrochloride
    dimeglumine dimesylate dipotassium pamoate embonate terephthalate saccharate diphosphate dipropionate disodium ditosylate edisylate enantate enanthate epolamine
    erbumine estolate esylate etexilate ethylsuccinate fumarate furoate gluconate hbr hcl hemifumarate hemihydrate
    hemisuccinate hyclate hydrate hydrobromide hydrochlor hydrochloride hydrocholoride isethionate isetionate
    lactate lactobionate lysine magnesium malate maleate medoxomil meglumine mesilate mesylate mofetil monohydrate
    napsilate napsylate nitrate orotate oxalate palmitate phosphate phosphates pivoxil potassium propionate
    proxetil sesquihydrate sodium stearate succinate sulfate sulfates sulphate tartrate tosilate tosylate
    trihydrate trometamol tromethamine valerate xinafoate
    """
)
# A depot is meant when one of these stands behind the name.
DEPOT_ESTERS = _words(
    """
    decanoate enantate enanthate
    """
)
# Endings of biological medicines, whose names may carry four letters that tell makers apart ("-abcd").
BIOLOGICAL_STEMS = ("mab", "stim", "cept", "poetin")
# Ions that are themselves given as medicines: what is left after stripping a salt must never be one of these.
ELEMENTS = _words(
    """
    acetate aluminium aluminum ammonium bicarbonate calcium carbonate chloride citrate copper ferric ferrous iron
    magnesium nitrate phosphate potassium sodium sulfate sulphate zinc
    """
)

# Not here on purpose: single letters ("penicillin g", "-D"), "pm", "plus", "max", "extra", "night", "forte",
# "compound", "no": behind a brand they are another product; before a name they may deny it.
NOISE = _words(
    """
    via ac actuat actuation actuations adhesive adult apply as at bd bedtime bid bottle box bp brand cc chew coated
    daily day days disp dissolve dose doses drops each eur evening every film flavor flavour for four free generic
    give gluten half hour hourly hours hr hrs hs if inhale inject insert kit label lunchtime mane metered min mins
    minutes month monthly months morning multi needed nightly nocte noon od of once one pack packs paediatric pc
    pca pediatric per pf ph place pr preservative prn puff puffs put qam qd qds qhs qid qod qpm qty refill refills
    required scored single size spray sprays stat strength strengths sugar supply swallow system tablespoon
    tablespoonful take tds teaspoon teaspoonful the three thrice tid time times to twice two uncoated unscored usp
    week weekly weeks when x
    """
)
# What stands in brackets behind a product is its maker, where one of these is in it and no known name.
MAKERS = _words(
    """
    bv corp corporation corporate europe gmbh healthcare inc international ireland lab laboratories labs limited llc
    ltd medical pharma pharmaceutical pharmaceuticals plc sa uk
    """
)
NOISE_PHRASES = frozenset(
    {
        "with food",
        "with meals",
        "with a meal",
        "with water",
        "before food",
        "after food",
        "sugar free",
        "as needed",
        "as required",
        "when required",
        "if needed",
        "abuse deterrent",
        "b i d",
        "t i d",
        "q i d",
        "q d",
        "on demand",
        "for pain",
        "for breakthrough pain",
        "every other day",
        "alternate days",
        "at night",
        "in the morning",
        "in the evening",
        "in total",
        "a day",
        "a week",
        "each morning",
        "each night",
        "every night",
        "in divided doses",
        "before meals",
        "after meals",
    }
)

# Between the parts of a combination. Dashes and strokes also merely separate; words never do.
JOINERS = frozenset({"/", "+", "-", "&", "and", "with", "plus"})
SEPARATORS = frozenset({"/", "-"})
